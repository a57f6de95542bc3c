/**
 * Requests that chance puts together, judged by our server and by node:http. What ours takes, Node takes as the same
 * request: the same method, target and body. Where ours refuses what Node takes, it must be for a reason of this list.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Random } from '../simulation/random.ts';
import { WebWorld } from './web-world.ts';

const SEED = 20_261_129;
const COUNT = 2000;

/** Where ours is stricter, and why. */
const STRICTER: readonly (readonly [string, RegExp])[] = [
  ['methods beside GET, HEAD, PUT and POST', /^(?:\r\n)*(?!(GET|HEAD|PUT|POST) )[A-Z-]+ /],
  ['a target that is no path: for proxies, tunnels, or all', /^(?:\r\n)*[A-Z]+ [^/]/],
  ['letters beyond ASCII, control characters and fragments in a target', /^(?:\r\n)*[A-Z]+ \S*[#\x7F-\xFF]/],
  ['more than two empty lines in front', /^(?:\r\n){3}/],
  ['other versions than 1.0 and 1.1', / HTTP\/(?!1\.[01]\r)/],
  ['a missing Host in HTTP/1.0; in 1.1 Node answers 400 as well, and then takes what follows', /^(?:\r\n)*\S+ \S+ \S+\r\n(?!([^\r\n]+\r\n)*Host:)/i],
  ['a line that is there twice: Node takes the first, or both', /^(Host|Authorization|Content-Type|Origin|Expect|Content-Length):.*\r\n(.*\r\n)*\1:/im],
  ['any Transfer-Encoding', /^Transfer-Encoding:/im],
  ['PUT and POST without a length', /^(?:\r\n)*(PUT|POST) (?!(.*\r\n)*Content-Length:)/i],
  ['a body of GET or HEAD', /^(?:\r\n)*(GET|HEAD) (.*\r\n)*Content-Length: *0*[1-9]/i],
  ['other expectations than 100-continue', /^Expect: (?!100-continue\r)/im],
  ['header lines without a name of a resource that it knows: a Host that is none of ours', /^Host:(?! *(10\.0\.0\.1|localhost)(:80)?\r)/im],
  ['what comes from another site, when something is changed', /^(?:\r\n)*(PUT|POST) (.*\r\n)*Origin: (?!http:\/\/10\.0\.0\.1\r)/i],
  ['a line feed without a carriage return', /[^\r]\n/],
  ['a carriage return alone', /\r(?!\n)/],
  ['a line that continues another one', /\r\n[ \t]/],
  ['more than 512 bytes in the request line, 40 header lines, 2048 bytes of them', /^[^\r]{511}|(.+\r\n){41}|^[^]{2048}/],
];

const pick = <T>(random: Random, list: readonly T[]): T => list[random.integer(0, list.length - 1)]!;

/** Mostly well-formed: what is all wrong tells nothing. */
function generate(random: Random): string {
  const often = (chance: number): boolean => random.integer(0, 999) < chance * 1000;
  const end = often(0.03) ? pick(random, ['\n', '\r', '\r\r\n', '\n\r\n']) : '\r\n';
  const method = often(0.8) ? pick(random, ['GET', 'HEAD', 'PUT', 'POST'])
    : pick(random, ['DELETE', 'OPTIONS', 'PATCH', 'get', 'GE T', 'G\0T', 'M-SEARCH', '', 'CONNECT', 'PURGE']);
  const isWriter = /^P/.test(method);
  const target = often(0.8) ? isWriter ? '/echo' : '/'
    : pick(random, ['/?a=b', '/echo?x', '*', 'http://10.0.0.1/', '/a b', '/\xE4', '/#a', '', '/\x01', '/%00', '/\x7F', '//',
      'echo', `/?${'q'.repeat(600)}`]);
  const version = often(0.85) ? 'HTTP/1.1' : pick(random, ['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.2', 'HTTP/11', '', 'HTTP/1.1 ']);
  const body = often(0.5) ? 'hello' : pick(random, ['', 'x', 'GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n']);
  const lines: string[] = [];
  if (often(0.93))
    lines.push(`Host:${pick(random, [' ', '', '\t', '  '])}${often(0.9) ? '10.0.0.1' : pick(random, ['localhost:80', 'evil.example', '', '10.0.0.1 '])}`);
  if (often(isWriter ? 0.85 : 0.05))
    lines.push(`Content-Length: ${often(0.85) ? body.length : pick(random, ['+5', '-1', '0x5', '5, 5', '', '1 5', '99999999999999999999', '05', '5;'])}`);
  const extras = ['X-A: b', 'x-a:', 'X-A : b', ' folded', '\tfolded', 'X-A', ': b', 'X-A: b\0', 'X-A: \xE4', 'X(A): b', 'X-A: b\x7F',
    'X-A: b\x0B', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding: chunked, chunked',
    'transfer-encoding:\tchunked', 'Content-Length: 5', 'Content-Length: 0', 'Host: 10.0.0.1', 'Connection: close', 'Connection: keep-alive, Upgrade',
    'Upgrade: websocket', 'Expect: 100-continue', 'Expect: other', 'Origin: http://10.0.0.1', 'Origin: http://evil.example',
    'Authorization: Basic YTpi', 'Cookie: k', 'Cookie: a=b; c=d', 'Accept-Encoding: gzip', 'X-Long: ' + 'l'.repeat(300),
    'If-None-Match: "x"', 'Content-Type: a/b', 'Te: trailers', 'Content_Length: 5', 'Content-Length\0: 5'];
  while (often(0.5))
    lines.push(pick(random, extras));
  if (often(0.01))
    lines.push(...Array.from({ length: 45 }, (_, index) => `L${index}: v`));
  if (often(0.3))
    lines.reverse();
  return `${often(0.05) ? '\r\n'.repeat(random.integer(1, 3)) : ''}${method} ${target} ${version}${end}`
    + lines.map(line => line + (often(0.01) ? '\n' : end)).join('') + end + body;
}

interface Verdict {
  readonly status: number;
  /** Of what was taken: method and target, and the body if the method has one. */
  readonly request: string | undefined;
}

function judgeByNode(text: string): Promise<Verdict> {
  return new Promise(resolve => {
    let first: IncomingMessage | undefined;
    const server = createServer((request, response) => {
      let body = '';
      first ??= request;
      request.setEncoding('latin1').on('data', part => body += part);
      request.on('end', () => {
        response.end();
        done({ status: 200, request: `${request.method} ${request.url} ${body}` });
      });
      request.on('error', () => done({ status: 400, request: undefined }));
    });
    let isDone = false;
    const done = (verdict: Verdict): void => {
      if (isDone)
        return;
      isDone = true;
      server.close();
      socket.destroy();
      resolve(verdict);
    };
    server.on('checkExpectation', (_request, response) => {
      response.end();
      done({ status: 417, request: undefined });
    });
    server.on('connect', () => done({ status: 501, request: undefined }));
    server.on('upgrade', () => done({ status: 101, request: undefined }));
    server.on('clientError', () => {
      if (first?.complete !== true) // else what comes behind the request is no second one
        done({ status: 400, request: undefined });
    });
    const socket = new Duplex({ read() { /* what comes is pushed */ }, write(_chunk, _encoding, next) { next(); } });
    server.emit('connection', socket);
    socket.push(Buffer.from(text, 'latin1'));
    socket.push(null);
    setTimeout(() => done({ status: 400, request: undefined }), 200); // waits for more: no whole request
  });
}

function judgeByOurs(text: string): Verdict {
  const world = new WebWorld();
  const method = /^(?:\r\n)*(\S+)/.exec(text)?.[1] ?? '';
  const { status } = world.ask(text);
  const [taken] = world.accepted;
  if (taken === undefined)
    return { status, request: undefined };
  const [target, ...body] = taken.split(' ');
  const [path, query] = target!.split('?');
  return { status, request: `${method} ${path}${query === '' ? '' : `?${query}`} ${body.join(' ')}` };
}

describe('requests by chance', () => {
  it(`${COUNT}: what is taken is taken alike, what is refused has its reason`, async () => {
    const random = new Random(SEED);
    const lenient: string[] = [];
    const unexplained: string[] = [];
    const counts = { both: 0, neither: 0, stricter: 0 };
    const used = new Set<string>();
    for (let done = 0; done < COUNT; done += 50) {
      const texts = Array.from({ length: 50 }, () => generate(random));
      const byNode = await Promise.all(texts.map(judgeByNode));
      texts.forEach((text, index) => {
        const theirs = byNode[index]!;
        const ours = judgeByOurs(text);
        if (ours.request !== undefined) {
          if (ours.request === theirs.request)
            ++counts.both;
          else
            lenient.push(`${JSON.stringify(text)}: ours ${ours.request}, Node ${theirs.status} ${theirs.request}`);
        } else if (theirs.request === undefined || ours.status === 404 || ours.status === 405)
          ++counts.neither;
        else {
          const reasons = STRICTER.filter(([, pattern]) => pattern.test(text));
          ++counts.stricter;
          reasons.forEach(([reason]) => used.add(reason));
          if (reasons.length === 0)
            unexplained.push(`${JSON.stringify(text)}: ours ${ours.status}, Node ${theirs.request}`);
        }
      });
    }
    expect(lenient).toEqual([]);
    expect(unexplained).toEqual([]);
    expect(counts.both).toBeGreaterThan(COUNT / 10);
    expect(counts.neither).toBeGreaterThan(COUNT / 10);
  }, 120_000);
});
