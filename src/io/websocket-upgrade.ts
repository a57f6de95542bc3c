/** The request of HTTP with which a WebSocket begins, and the answer to it (RFC 6455 section 4.2). Pure functions. */

/** Bytes of the head of a request at most. */
export const LONGEST_REQUEST = 4096;

export interface Upgrade {
  /** What to send. */
  readonly answer: string;
  /** Why it is refused, in words; empty: it is not. */
  readonly problem: string;
}

const refusal = (status: string, problem: string, header = ''): Upgrade =>
  ({ answer: `HTTP/1.1 ${status}\r\n${header}Connection: close\r\nContent-Length: 0\r\n\r\n`, problem });

const holds = (list: string | undefined, wanted: string): boolean =>
  (list ?? '').split(',').some(entry => entry.trim().toLowerCase() === wanted);

/** @param head of the request, up to the empty line; empty: it was too long */
export function answerUpgrade(head: string, acceptFor: (key: string) => string): Upgrade {
  if (head === '')
    return refusal('431 Request Header Fields Too Large', `sends a request of more than ${LONGEST_REQUEST} bytes`);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon > 0)
      headers.set(name, headers.has(name) ? `${headers.get(name)!},${line.slice(colon + 1).trim()}` : line.slice(colon + 1).trim());
  }
  if (!/^GET \S+ HTTP\/1\.1$/.test(first))
    return refusal('400 Bad Request', 'speaks no WebSocket: this port is for MQTT within it (ws://)');
  if (!holds(headers.get('upgrade'), 'websocket') || !holds(headers.get('connection'), 'upgrade'))
    return refusal('426 Upgrade Required', 'speaks HTTP and asks for no WebSocket: this port serves no pages', 'Upgrade: websocket\r\n');
  if (headers.get('sec-websocket-version') !== '13')
    return refusal('426 Upgrade Required', 'speaks another version of WebSocket than 13', 'Sec-WebSocket-Version: 13\r\n');
  const key = headers.get('sec-websocket-key') ?? '';
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key))
    return refusal('400 Bad Request', 'sends no key of WebSocket (Sec-WebSocket-Key)');
  const protocol = ['mqtt', 'mqttv3.1'].find(name => holds(headers.get('sec-websocket-protocol'), name));
  if (protocol === undefined)
    return refusal('400 Bad Request', 'does not ask for the subprotocol "mqtt" [MQTT311-6.0.0-3]');
  return {
    answer: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Accept: ${acceptFor(key)}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    problem: '',
  };
}
