/**
 * The handshake of HTTP with which a WebSocket begins (RFC 6455 section 4): a server's answer to a request, and a
 * client's request and what it makes of the answer. Knows no socket. Once per connection.
 */

/** Bytes of the head of a request or an answer at most. */
export const LONGEST_HEAD = 4096;

/** How a connection begins, in one of the two roles. */
export interface Opening {
  /** What a client says first. A server waits: undefined. */
  readonly request?: string;
  /**
   * @param head of what the peer has said, up to the empty line; without one it was too long, or is the one character
   * with which no HTTP begins
   */
  judge(head: string): Judgement;
  /** What a server says when its program gives up before the request is whole. */
  readonly farewell?: string;
}

export interface Judgement {
  /** What to send. */
  readonly answer: string;
  /** Why it is refused, in words that follow a name; empty: it is not. */
  readonly problem: string;
}

export interface OpeningPlatform {
  /** @returns what Sec-WebSocket-Accept says for a key: SHA-1 in base64 (section 4.2.2) */
  readonly acceptFor: (key: string) => string;
  /** @returns why a page of `origin` may not connect, in words; empty: it may. @param host as the page names us */
  readonly judgeOrigin: (origin: string, host: string) => string;
}

const TLS_HANDSHAKE = '\x16';
const END = '\r\n\r\n';

const messageOf = (status: string, header = ''): string =>
  `HTTP/1.1 ${status}\r\n${header}Connection: close\r\nContent-Length: 0\r\n\r\n`;

const refusal = (status: string, problem: string, header?: string): Judgement =>
  ({ answer: messageOf(status, header), problem });

/** The lines of a head behind the first one; undefined: it is malformed. Names in lower case, repeated ones joined. */
function fieldsOf(lines: readonly string[]): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7E\x80-\xFF]*?)[ \t]*$/.exec(line);
    if (match === null)
      return undefined;
    const name = match[1]!.toLowerCase();
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? match[2]! : `${earlier},${match[2]!}`);
  }
  return fields;
}

const listOf = (field = ''): string[] => field.split(',').map(entry => entry.trim());

const holds = (field: string | undefined, wanted: string): boolean =>
  listOf(field).some(entry => entry.toLowerCase() === wanted);

/** Of a server. */
export class ServerOpening implements Opening {
  readonly farewell = messageOf('408 Request Timeout');
  private readonly platform: OpeningPlatform;

  constructor(platform: OpeningPlatform) {
    this.platform = platform;
  }

  judge(head: string): Judgement {
    if (head.length === 1)
      return refusal('400 Bad Request', head === TLS_HANDSHAKE
        ? 'speaks TLS, and this port does not: let it connect without (ws://), or set listener.certfile'
        : 'speaks no WebSocket: this port is for MQTT within it (ws://), as listener.protocol says');
    if (!head.endsWith(END))
      return refusal('431 Request Header Fields Too Large', `sends a request of more than ${LONGEST_HEAD} bytes`);
    const lines = head.slice(0, -END.length).split('\r\n');
    const fields = fieldsOf(lines.slice(1));
    const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(lines[0]!) ?? [];
    if (target === undefined || fields === undefined)
      return refusal('400 Bad Request', 'sends a malformed request of HTTP');
    return this.judgeRequest(method!, fields) ?? this.judgeWebSocket(fields);
  }

  /** Whether it is one for WebSocket at all. */
  private judgeRequest(method: string, fields: ReadonlyMap<string, string>): Judgement | undefined {
    const host = fields.get('host') ?? '';
    if (host === '' || host.includes(','))
      return refusal('400 Bad Request', 'sends a request without one Host');
    if (!holds(fields.get('upgrade'), 'websocket') || !holds(fields.get('connection'), 'upgrade'))
      return refusal('426 Upgrade Required', 'asks for no WebSocket: this port serves no pages',
        'Upgrade: websocket\r\n');
    if (method !== 'GET')
      return refusal('405 Method Not Allowed', 'asks for WebSocket by another method than GET', 'Allow: GET\r\n');
    if (fields.has('transfer-encoding') || !/^0*$/.test(fields.get('content-length') ?? ''))
      return refusal('400 Bad Request', 'sends a request with a body');
    return undefined;
  }

  private judgeWebSocket(fields: ReadonlyMap<string, string>): Judgement {
    const { acceptFor, judgeOrigin } = this.platform;
    if (fields.get('sec-websocket-version') !== '13')
      return refusal('426 Upgrade Required', 'speaks another version of WebSocket than 13',
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n');
    const key = fields.get('sec-websocket-key') ?? '';
    if (!/^[A-Za-z0-9+/]{22}==$/.test(key))
      return refusal('400 Bad Request', 'sends no key of WebSocket (Sec-WebSocket-Key)');
    const origin = fields.get('origin');
    const problem = origin === undefined ? '' : judgeOrigin(origin, fields.get('host')!);
    if (problem !== '')
      return refusal('403 Forbidden', problem);
    const protocol = listOf(fields.get('sec-websocket-protocol')).find(name => PROTOCOLS.includes(name));
    if (protocol === undefined)
      return refusal('400 Bad Request', 'does not ask for the subprotocol "mqtt" [MQTT311-6.0.0-3]');
    return {
      answer: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + `Sec-WebSocket-Accept: ${acceptFor(key)}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
      problem: '',
    };
  }
}

/** That of 3.1.1 and 5.0, and what clients of 3.1 say [MQTT311-6.0.0-4]. */
const PROTOCOLS: readonly string[] = Object.freeze(['mqtt', 'mqttv3.1']);

/** Of a client [MQTT311-6.0.0-3]. */
export class ClientOpening implements Opening {
  readonly request: string;
  private readonly protocols: string;
  private readonly accept: string;

  /**
   * @param host and port as they stand in the address, `path` with its slash
   * @param protocols that may be agreed on, separated by commas
   * @param key 16 random bytes in base64, `accept` what the server makes of it
   */
  constructor(host: string, path: string, protocols: string, key: string, accept: string) {
    this.protocols = protocols;
    this.accept = accept;
    this.request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
      + `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${protocols}\r\n\r\n`;
  }

  judge(head: string): Judgement {
    return { answer: '', problem: this.problemOf(head) };
  }

  private problemOf(head: string): string {
    const lines = head.slice(0, -END.length).split('\r\n');
    const fields = fieldsOf(lines.slice(1));
    const [, version, status] = /^HTTP\/(1\.[01]) ([0-9]{3})(?: |$)/.exec(lines[0]!) ?? [];
    if (!head.endsWith(END) || status === undefined || fields === undefined)
      return 'speaks no HTTP, with which a WebSocket begins';
    if (status !== '101')
      return `answers ${status} where it should begin a WebSocket (101)${ADVICE[status] ?? ''}`;
    if (version !== '1.1')
      return 'answers 101 in HTTP/1.0, which has no WebSocket';
    if (!holds(fields.get('upgrade'), 'websocket') || !holds(fields.get('connection'), 'upgrade'))
      return 'answers 101 without "Upgrade: websocket"';
    if (fields.get('sec-websocket-accept') !== this.accept)
      return 'answers with another Sec-WebSocket-Accept than the one of our key: is something between that answers for it?';
    if (!listOf(this.protocols).includes(fields.get('sec-websocket-protocol') ?? ''))
      return `does not agree to the subprotocol "${this.protocols}" [MQTT311-6.0.0-4]: does it speak MQTT at this path?`;
    if (fields.has('sec-websocket-extensions'))
      return 'uses an extension of WebSocket that nobody asked for';
    return '';
  }
}

const ADVICE: Readonly<Record<string, string>> = Object.freeze({
  301: ': it has moved; write where to in upstream.address',
  302: ': it sends us elsewhere; write where to in upstream.address',
  307: ': it sends us elsewhere; write where to in upstream.address',
  308: ': it has moved; write where to in upstream.address',
  400: ': is it another server, or another path?',
  401: ': it wants a user of HTTP, which the gateway has not',
  403: ': it lets nobody in here; is the path right?',
  404: ': there is nothing at this path; most brokers want /mqtt or /',
  426: ': is it another server?',
});
