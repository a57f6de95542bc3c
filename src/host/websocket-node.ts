/** Sockets of nodes within WebSocket, on Node. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { CachedArea } from '../io/exact-area.ts';
import type { TCPConstructor, TCPOptions } from '../io/transport.ts';
import { AREA_LENGTH, type WebSocketPlatform, WebSocketTCP } from '../io/websocket.ts';
import { ServerOpening } from '../io/websocket-opening.ts';
import { TCP } from './tcp.ts';

/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export const acceptFor = (key: string): string => createHash('sha1').update(key + GUID).digest('base64');

/** Of an origin in a line of the log. */
const LONGEST_ORIGIN = 100;

/**
 * Whether a page may connect. A browser that reaches this port runs pages of the whole internet, and says from which
 * one it comes; what is no browser says nothing. Pages of this computer may, as far as nobody else can pretend to be
 * one: from the address by which they name the listener, which nobody can let point elsewhere, or from a name of this
 * computer. @returns why not, in words; empty: it may
 */
function judgeOrigin(origin: string, host: string, allowed: readonly string[]): string {
  const wanted = origin.toLowerCase();
  if (allowed.some(each => each === '*' || each.toLowerCase().replace(/\/$/, '') === wanted))
    return '';
  const [, page] = /^https?:\/\/(\[[0-9a-f:.]+\]|[^/:[\]@]+)(?::[0-9]+)?$/.exec(wanted) ?? [];
  const name = hostname().toLowerCase();
  const isLocal = page !== undefined && (['localhost', name, `${name}.local`].includes(page)
    || /^127\.[0-9.]+$|^\[::1\]$/.test(page)
    || /^(?:[0-9.]+|\[.*\])$/.test(page) && page === host.toLowerCase().replace(/:[0-9]+$/, ''));
  const shown = origin.slice(0, LONGEST_ORIGIN);
  return isLocal ? '' : `runs a page of "${shown}", which may not connect; if it should, add "${shown}" to listener.websockets_origin`;
}

/**
 * @param origins of pages that may connect besides, asked for each
 * @param report a request, or a frame, that breaks a rule
 */
export function webSocketNodes(origins: () => readonly string[], report: WebSocketPlatform['onViolation']):
  TCPConstructor {
  const platform: WebSocketPlatform =
    { TCP, area: new CachedArea(AREA_LENGTH), defer: queueMicrotask, onViolation: report };
  const opening = new ServerOpening({
    acceptFor,
    judgeOrigin: (origin, host) => judgeOrigin(origin, host, origins()),
  });
  return class extends WebSocketTCP {
    constructor(options: TCPOptions) {
      super(options, platform, opening);
    }
  };
}
