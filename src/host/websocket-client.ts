/** Sockets to a broker within WebSocket, on Node, and why one did not come about or has ended. */
import { randomBytes, randomFillSync } from 'node:crypto';
import type { Scheme, UpstreamAddress } from '../config/upstream-address.ts';
import { CachedArea } from '../io/exact-area.ts';
import type { TCPConstructor, TCPOptions } from '../io/transport.ts';
import { AREA_LENGTH, type WebSocketPlatform, WebSocketTCP } from '../io/websocket.ts';
import { ClientOpening, type Opening } from '../io/websocket-opening.ts';
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
  /** The connection stands, and what was asked for a WebSocket has not answered. */
  private isAsking = false;
  private scheme: Scheme = 'ws';

  /** @param below what the WebSocket goes through @returns sockets for the next attempt */
  socketsFor({ host, path = '/', port, scheme }: UpstreamAddress, below: TCPConstructor, version: string):
    TCPConstructor {
    this.problem = '';
    this.failure = undefined;
    this.isAsking = false;
    this.scheme = scheme;
    const platform: WebSocketPlatform = {
      TCP: below, area: this.area, defer: queueMicrotask,
      fillMask: mask => this.fillMask(mask),
      onRequested: () => this.isAsking = true,
      onViolation: (_address, violation) => {
        this.problem = violation;
        this.failure = TRANSIENT.test(violation) ? ReasonCode.SERVER_UNAVAILABLE : ReasonCode.WEBSOCKET_FAILED;
      },
    };
    const key = randomBytes(KEY_LENGTH).toString('base64');
    const isUsual = port === (scheme === 'wss' ? 443 : 80);
    const name = host.replace(/%.*(?=\]$)/, '');
    const handshake = new ClientOpening(isUsual ? name : `${name}:${port}`, path,
      version === 'mqttv31' ? 'mqttv3.1, mqtt' : 'mqtt', key, acceptFor(key));
    const opening: Opening = {
      request: handshake.request,
      judge: head => {
        this.isAsking = false;
        return handshake.judge(head);
      },
    };
    const failureOf = (below: number | undefined): number | undefined => this.failureOf(below);
    return class extends WebSocketTCP {
      constructor(options: TCPOptions) {
        super(options, platform, opening);
      }

      override get failure(): number | undefined {
        return failureOf(super.failure);
      }
    };
  }

  /** @param below of the socket below @returns that of the connection; who goes without an answer may be starting */
  private failureOf(below: number | undefined): number | undefined {
    if (this.failure === undefined && below === undefined && this.isAsking) {
      this.problem = `closes the connection where it should begin a WebSocket: is it ${this.otherPort}?`;
      this.failure = ReasonCode.SERVER_UNAVAILABLE;
    }
    return this.failure ?? below;
  }

  /** What a port may be that does not answer as a WebSocket. */
  private get otherPort(): string {
    return this.scheme === 'ws' ? 'a port of MQTT without WebSocket (write mqtt://), or of TLS (write wss://)'
      : 'a port of MQTT without WebSocket (write mqtts://), or does it demand a client certificate (upstream.bridge_certfile)';
  }

  /** As Connector.problemOf, for a connection of this kind. */
  problemOf(reasonCode: number): string {
    if (reasonCode === ReasonCode.NETWORK_UNREACHABLE && this.isAsking)
      return `does not answer where it should begin a WebSocket: is it ${this.otherPort}?`;
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
