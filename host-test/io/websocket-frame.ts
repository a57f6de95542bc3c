/** Frames of WebSocket, made and read by hand. */

/** A frame of a client, with the mask 01020304. @param declared another length than that of the payload */
export function frame(first: number, hex: string, declared?: number): Buffer {
  const payload = Buffer.from(hex, 'hex');
  const length = declared ?? payload.length;
  const head = length < 126 ? [length | 0x80] : [0xFE, length >> 8, length & 0xFF];
  return Buffer.concat([Buffer.from([first, ...head, 1, 2, 3, 4]), payload.map((byte, index) => byte ^ index % 4 + 1)]);
}

/** What the frames of a server hold: payload of binary ones in one piece, others as `[first byte, payload]`. */
export function readFrames(bytes: Buffer): { data: string; control: [number, string][] } {
  const control: [number, string][] = [];
  let data = '';
  for (let at = 0; at + 2 <= bytes.length;) {
    const first = bytes[at]!;
    let length = bytes[at + 1]!;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    }
    const payload = bytes.subarray(at, at + length).toString('hex');
    at += length;
    if (first === 0x82)
      data += payload;
    else
      control.push([first, payload]);
  }
  return { data, control };
}

/** The example of RFC 6455 section 1.3. */
export const REQUEST = 'GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n'
  + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n';
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
