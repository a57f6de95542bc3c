/** Sockets to a broker within WebSocket, on Node, and why one did not come about or has ended. */
import { randomBytes, randomFillSync } from 'node:crypto';
import type { UpstreamAddress } from '../config/upstream-address.ts';
import { CachedArea } from '../io/exact-area.ts';
import type { TCPConstructor, TCPOptions } from '../io/transport.ts';
import { AREA_LENGTH, type WebSocketPlatform, WebSocketTCP } from '../io/websocket.ts';
import { ClientOpening } from '../io/websocket-opening.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { acceptFor } from './websocket-node.ts';

const KEY_LENGTH = 16;
/** Random bytes are made in advance: one call for each mask would take longer than the frame. */
const POOL_LENGTH = 4096;
/** What goes away by itself: a broker that starts behind a server that is there. */
const TRANSIENT = /^answers (?:429|5[0-9][0-9]) /;

export class ClientWebSocket {
  private readonly area = new CachedArea(AREA_LENGTH);
  private readonly pool = new Uint8Array(POOL_LENGTH);
  private poolOffset = POOL_LENGTH;
  /** Of the last attempt. */
  private problem = '';
  private failure: number | undefined = undefined;

  /** @param below what the WebSocket goes through @returns sockets for the next attempt */
  socketsFor({ host, path = '/', port, scheme }: UpstreamAddress, below: TCPConstructor, version: string):
    TCPConstructor {
    this.problem = '';
    this.failure = undefined;
    const platform: WebSocketPlatform = {
      TCP: below, area: this.area, defer: queueMicrotask,
      fillMask: mask => this.fillMask(mask),
      onViolation: (_address, violation) => {
        this.problem = violation;
        this.failure = TRANSIENT.test(violation) ? ReasonCode.SERVER_UNAVAILABLE : ReasonCode.WEBSOCKET_FAILED;
      },
    };
    const key = randomBytes(KEY_LENGTH).toString('base64');
    const isUsual = port === (scheme === 'wss' ? 443 : 80);
    const name = host.replace(/%.*(?=\]$)/, '');
    const opening = new ClientOpening(isUsual ? name : `${name}:${port}`, path,
      version === 'mqttv31' ? 'mqttv3.1, mqtt' : 'mqtt', key, acceptFor(key));
    const failureOf = (): number | undefined => this.failure;
    return class extends WebSocketTCP {
      constructor(options: TCPOptions) {
        super(options, platform, opening);
      }

      override get failure(): number | undefined {
        return failureOf() ?? super.failure;
      }
    };
  }

  /** As Connector.problemOf, for a connection of this kind. */
  problemOf(reasonCode: number): string {
    return reasonCode === this.failure ? this.problem : '';
  }

  private fillMask(mask: Uint8Array): void {
    if (this.poolOffset + mask.length > POOL_LENGTH) {
      randomFillSync(this.pool);
      this.poolOffset = 0;
    }
    for (let index = 0; index < mask.length; ++index)
      mask[index] = this.pool[this.poolOffset++]!;
  }
}
