/** What the HTTP server makes of a request: each line of the table as a whole, byte by byte, and at every split. */
import { describe, expect, it } from 'vitest';
import { ETAG, PAGE_TEXT, request, WebWorld } from './web-world.ts';

const filler = (length: number): string => `X-Filler: ${'f'.repeat(length - 12)}`;
const lines = (count: number): string[] => Array.from({ length: count }, (_, index) => `A${index}: b`);

/** [name, request, status, what the body or the header lines have] */
const TABLE: readonly (readonly [string, string, number, (string | RegExp)?])[] = [
  // What browsers and tools send
  ['a GET', request('GET /'), 200, PAGE_TEXT],
  ['a GET with a query', request('GET /?a=b&c=%20'), 200],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: 10.0.0.1\r\n\r\n', 200],
  ['an empty line in front, as old clients send after a POST', `\r\n${request('GET /')}`, 200],
  ['a HEAD without a body', request('HEAD /'), 200, /Content-Length: 11\r\n(.*\r\n)*\r\n$/],
  ['header names in any case', 'GET / HTTP/1.1\r\nhOST:10.0.0.1\r\n\r\n', 200],
  ['blanks around a value', 'GET / HTTP/1.1\r\nHost: \t 10.0.0.1 \t\r\n\r\n', 200],
  ['an empty value', request('GET /', 'X-Empty:'), 200],
  ['letters beyond ASCII in a value', request('GET /', 'X-Name: \xE4\xFF'), 200],
  ['what comes after the request is no second one', request('GET /') + request('GET /'), 200, /page<\/p>$/],
  ['a POST', `${request('POST /echo', 'Content-Length: 5')}hello`, 200, /\r\n\r\nhello$/],
  ['a PUT', `${request('PUT /echo', 'Content-Length: 0')}`, 200, /\r\n\r\n$/],
  ['a GET that says it has no body', request('GET /', 'Content-Length: 0'), 200],
  ['40 header lines', request('GET /', ...lines(39)), 200],
  ['2048 bytes of header lines', request('GET /', filler(2048 - 'Host: 10.0.0.1\r\n'.length - 2)), 200],
  ['a request line of 512 bytes', request(`GET /?${'q'.repeat(512 - 'GET /? HTTP/1.1\r\n'.length)}`), 200],
  ['an ETag that the browser has', request('GET /', `If-None-Match: ${ETAG}`), 304],
  ['the same in a list, weak', request('GET /', `If-None-Match: "x", W/${ETAG}`), 304],
  ['any', request('GET /', 'If-None-Match: *'), 304],
  ['another ETag', request('GET /', 'If-None-Match: "abcd", "ab'), 200],
  ['no list of ETags', request('GET /', 'If-None-Match: abc'), 200],
  // Compression
  ['gzip is taken', request('GET /zipped', 'Accept-Encoding: gzip, deflate, br'), 200, /zipped$/],
  ['gzip among others, with a weight', request('GET /zipped', 'Accept-Encoding: br;q=1.0, GZIP ; q=0.001'), 200, /zipped$/],
  ['anything', request('GET /zipped', 'Accept-Encoding: *'), 200, /zipped$/],
  ['nothing is said', request('GET /zipped'), 200, /plain$/],
  ['everything but gzip', request('GET /zipped', 'Accept-Encoding: gzip;q=0, *'), 200, /plain$/],
  ['not even this', request('GET /zipped', 'Accept-Encoding: *;q=0.000'), 200, /plain$/],
  ['other codings', request('GET /zipped', 'Accept-Encoding: br, xgzip, gzipx'), 200, /plain$/],
  ['an ETag of the compressed form', request('GET /zipped', 'Accept-Encoding: gzip', 'If-None-Match: "gz"'), 304],
  ['an ETag of the other form', request('GET /zipped', 'Accept-Encoding: gzip', 'If-None-Match: "pl"'), 200, /zipped$/],
  // Limits
  ['41 header lines', request('GET /', ...lines(40)), 431],
  ['2049 bytes of header lines', request('GET /', filler(2048 - 'Host: 10.0.0.1\r\n'.length - 1)), 431],
  ['a header line without end', `GET / HTTP/1.1\r\n${'a'.repeat(5000)}`, 431],
  ['a request line of 513 bytes', request(`GET /?${'q'.repeat(513 - 'GET /? HTTP/1.1\r\n'.length)}`), 414],
  ['a request line without end', 'a'.repeat(600), 414],
  ['a longer body than the resource takes', `${request('PUT /echo', 'Content-Length: 5001')}${'b'.repeat(5001)}`, 413],
  ['a length beyond numbers', request('PUT /echo', `Content-Length: ${'9'.repeat(40)}`), 413],
  // The request line
  ['no request', '\r\n\r\n\r\n', 400],
  ['bytes of another protocol', '\x16\x03\x01\x02\0\x01\0\x01\xFC\x03\x03\r\n\r\n', 400],
  ['a bare line feed', 'GET / HTTP/1.1\nHost: 10.0.0.1\n\n', 400],
  ['a bare line feed behind a header line', 'GET / HTTP/1.1\r\nHost: 10.0.0.1\n\r\n', 400],
  ['two spaces', request('GET  /'), 400],
  ['a space in the target', request('GET /a b'), 400],
  ['a space in front', request(' GET /'), 400],
  ['a tab for a space', 'GET\t/\tHTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n', 400],
  ['no target', 'GET HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n', 400],
  ['no version', 'GET /\r\nHost: 10.0.0.1\r\n\r\n', 400],
  ['a version in small letters', 'GET / http/1.1\r\nHost: 10.0.0.1\r\n\r\n', 400],
  ['a version of one digit', 'GET / HTTP/1\r\nHost: 10.0.0.1\r\n\r\n', 400],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['HTTP/0.9', 'GET / HTTP/0.9\r\nHost: 10.0.0.1\r\n\r\n', 505],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: 10.0.0.1\r\n\r\n', 505],
  ['a fragment', request('GET /#a'), 400],
  ['a control character in the target', request('GET /\x7F'), 400],
  ['a letter beyond ASCII in the target', request('GET /\xE4'), 400],
  ['the form for proxies', request('GET http://10.0.0.1/'), 400],
  ['an asterisk', request('HEAD *'), 400],
  ['a tunnel', request('CONNECT 10.0.0.1:80'), 501],
  ['another method', request('DELETE /'), 501],
  ['OPTIONS, as a browser asks for another site', request('OPTIONS /'), 501],
  ['a method in small letters', request('get /'), 501],
  ['a method that is no word', request('G@T /'), 400],
  // Header lines
  ['a line that continues another one', request('GET /', 'X-A: b', ' c'), 400],
  ['a space before the colon', request('GET /', 'X-A : b'), 400],
  ['no name', request('GET /', ': b'), 400],
  ['no colon', request('GET /', 'X-A'), 400],
  ['a zero byte', request('GET /', 'X-A: b\0'), 400],
  ['a carriage return in a value', request('GET /', 'X-A: b\rX-B: c'), 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 400],
  ['Host twice', request('GET /', 'Host: 10.0.0.1'), 400],
  ['Authorization twice', request('GET /', 'Authorization: Basic YTpi', 'Authorization: Basic YTpj'), 400],
  ['Cookie in two lines', request('GET /', 'Cookie: a=b', 'Cookie: c=d'), 200],
  // Bodies, and what smugglers try
  ['no length', request('POST /echo'), 411],
  ['two lengths', `${request('POST /echo', 'Content-Length: 5', 'Content-Length: 6')}hello!`, 400],
  ['the same length twice', `${request('POST /echo', 'Content-Length: 5', 'Content-Length: 5')}hello`, 400],
  ['a list of lengths', `${request('POST /echo', 'Content-Length: 5, 5')}hello`, 400],
  ['a length with a sign', `${request('POST /echo', 'Content-Length: +5')}hello`, 400],
  ['a length below zero', `${request('POST /echo', 'Content-Length: -5')}hello`, 400],
  ['a length in hexadecimal digits', `${request('POST /echo', 'Content-Length: 0x5')}hello`, 400],
  ['an empty length', `${request('POST /echo', 'Content-Length:')}hello`, 400],
  ['a length with a space in it', `${request('POST /echo', 'Content-Length: 1 5')}hello`, 400],
  ['chunks', `${request('POST /echo', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`, 501],
  ['chunks and a length', `${request('POST /echo', 'Content-Length: 5', 'Transfer-Encoding: chunked')}hello`, 400],
  ['chunks in HTTP/1.0', 'POST /echo HTTP/1.0\r\nHost: 10.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['a coding that is none', `${request('POST /echo', 'Transfer-Encoding: xchunked')}hello`, 501],
  ['chunks twice', request('POST /echo', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'), 400],
  ['a GET with a body', `${request('GET /', 'Content-Length: 5')}hello`, 400],
  ['another expectation', request('POST /echo', 'Content-Length: 5', 'Expect: 200-ok'), 417],
  // Whom it is meant for
  ['a name of our own', 'GET / HTTP/1.1\r\nHost: Gateway.LOCAL:8080\r\n\r\n', 200],
  ['another address of ours', 'GET / HTTP/1.1\r\nHost: 192.168.1.20\r\n\r\n', 200],
  ['IPv6', 'GET / HTTP/1.1\r\nHost: [fe80::1]:80\r\n\r\n', 200],
  ['IPv6 without a port', 'GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n', 200],
  ['a name that somebody lets point here', 'GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n', 421],
  ['such a name that looks like an address', 'GET / HTTP/1.1\r\nHost: 10.0.0.1.example\r\n\r\n', 421],
  ['a name that ends like ours', 'GET / HTTP/1.1\r\nHost: evil-gateway.local\r\n\r\n', 421],
  ['an address of five parts', 'GET / HTTP/1.1\r\nHost: 10.0.0.1.2\r\n\r\n', 421],
  ['an address with a number too large', 'GET / HTTP/1.1\r\nHost: 10.0.0.256\r\n\r\n', 421],
  ['no port behind the colon', 'GET / HTTP/1.1\r\nHost: localhost:x\r\n\r\n', 421],
  ['brackets around a name', 'GET / HTTP/1.1\r\nHost: [evil]\r\n\r\n', 421],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 421],
  // Where it comes from
  ['a POST from our page', `${request('POST /echo', 'Content-Length: 1', 'Origin: http://10.0.0.1')}x`, 200],
  ['a POST from another site', `${request('POST /echo', 'Content-Length: 1', 'Origin: http://evil.example')}x`, 403],
  ['from another port', `${request('POST /echo', 'Content-Length: 1', 'Origin: http://10.0.0.1:8081')}x`, 403],
  ['from another scheme', `${request('POST /echo', 'Content-Length: 1', 'Origin: https://10.0.0.1')}x`, 403],
  ['from nowhere', `${request('POST /echo', 'Content-Length: 1', 'Origin: null')}x`, 403],
  ['as the browser says', `${request('POST /echo', 'Content-Length: 1', 'Sec-Fetch-Site: cross-site')}x`, 403],
  ['from a neighbour', `${request('POST /echo', 'Content-Length: 1', 'Sec-Fetch-Site: same-site')}x`, 403],
  ['by hand', `${request('POST /echo', 'Content-Length: 1', 'Sec-Fetch-Site: none')}x`, 200],
  // What there is
  ['a path that is none', request('GET /nothing'), 404],
  ['dots', request('GET /../'), 404],
  ['dots in percents', request('GET /%2e%2e/etc/passwd'), 404],
  ['two slashes', request('GET //'), 404],
  ['a slash behind', request('GET /large/'), 404],
  ['a path in capital letters', request('GET /LARGE'), 404],
  ['a method that the resource has not', request('POST /', 'Content-Length: 0'), 405, /^Allow: GET, HEAD\r$/m],
  ['GET of what is only written', request('GET /echo'), 405, /^Allow: PUT, POST\r$/m],
  ['what is private', request('GET /private'), 401, /^WWW-Authenticate: Session/m],
  ['what is private, with a session', request('GET /private', 'Cookie: k'), 200, /secret$/],
  ['events, their head only', request('HEAD /events'), 200, /event-stream\r\n\r\n$/],
];

const check = (world: WebWorld, parts: string[], status: number, expected: string | RegExp = ''): void => {
  const client = world.ask(...parts);
  expect(client.status).toBe(status);
  if (typeof expected === 'string')
    expect(client.received).toContain(expected);
  else
    expect(client.received).toMatch(expected);
  if (status !== 304)
    expect(client.header('Content-Length') === undefined).toBe(/event-stream/.test(client.received));
  world.network.run(6000);
  expect(client.isOver).toBe(true);
  expect(world.usedCount).toBe(0);
};

describe('the HTTP server', () => {
  for (const [name, text, status, expected] of TABLE) {
    it(`${name}: whole`, () => check(new WebWorld(), [text], status, expected));

    it(`${name}: on a computer, where the arena does not change its size`, () =>
      check(new WebWorld({ resizable: false }), [text], status, expected));

    if (text.length < 400)
      it(`${name}: in two parts, at every split`, () => {
        const world = new WebWorld();
        for (let split = 1; split < text.length; ++split)
          check(world, [text.slice(0, split), text.slice(split)], status, expected);
      });
  }

  it('answers every refusal with a sentence that says what to do', () => {
    const world = new WebWorld();
    for (const [, text, status] of TABLE.filter(([, , status]) => status >= 400)) {
      const client = world.ask(text);
      if (/^HEAD/.test(text))
        continue;
      expect(client.body.length, `${status}`).toBeGreaterThan(10);
      expect(client.header('Content-Length')).toBe(String(client.body.length));
    }
  });

  it('says in each answer that nobody may guess, frame or keep the connection', () => {
    const client = new WebWorld().ask(request('GET /'));
    expect(client.header('Connection')).toBe('close');
    expect(client.header('X-Content-Type-Options')).toBe('nosniff');
    expect(client.header('X-Frame-Options')).toBe('DENY');
    expect(client.header('ETag')).toBe(ETAG);
  });

  it('lets a client that asks first send its body', () => {
    const world = new WebWorld();
    const client = world.ask(request('POST /echo', 'Content-Length: 5', 'Expect: 100-continue'));
    expect(client.received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    world.network.run(50);
    expect(client.received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n(.|\r\n)*hello$/);
  });

  it('keeps the part of a body that came with the head until the gate has judged, and reads the rest then', () => {
    const body = 'body '.repeat(700);
    const world = new WebWorld();
    const client = world.ask(`${request('POST /private-echo', `Content-Length: ${body.length}`, 'Cookie: late')}${body}`);
    expect(client.received).toBe('');
    world.network.run(1100);
    expect(client.body).toBe(body);
    expect(world.accepted).toEqual([`/private-echo? ${body}`]);
  });

  it('does not say "continue" to whom it refuses', () => {
    const client = new WebWorld().ask(request('POST /private-echo', 'Content-Length: 5', 'Expect: 100-continue'));
    expect(client.received).toMatch(/^HTTP\/1\.1 401 /);
  });
});
