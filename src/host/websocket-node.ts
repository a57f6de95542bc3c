/** Sockets of nodes within WebSocket, on Node. */
import { createHash } from 'node:crypto';
import type { TCPConstructor, TCPOptions } from '../io/transport.ts';
import { WebSocketNode, type WebSocketPlatform } from '../io/websocket.ts';
import { TCP } from './tcp.ts';

/** Bytes each way. */
const CAPACITY = 16_384;
/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @param report a request, or a frame, that breaks a rule */
export function webSocketNodes(report: WebSocketPlatform['onViolation']): TCPConstructor {
  const platform: WebSocketPlatform = {
    TCP,
    capacity: CAPACITY,
    defer: queueMicrotask,
    acceptFor: key => createHash('sha1').update(key + GUID).digest('base64'),
    onViolation: report,
  };
  return class extends WebSocketNode {
    constructor(options: TCPOptions) {
      if (options.from === undefined)
        throw new Error('invalid from');
      super({ ...options, from: options.from }, platform);
    }
  };
}
