/** Takes messages of the Server for the bridge, as gateway/node-router.ts does those of nodes. */
import type { Packet } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { ClientSession } from '../session/client-session.ts';
import { REFUSED } from '../session/session-role.ts';
import { SERVER_IDENTITY } from '../nodes/stored-messages.ts';
import type { Store } from '../store/message-store.ts';
import type { Bridge } from './bridge.ts';
import type { IntakeSession, Router } from './intake.ts';

export class ServerRouter implements Router {
  readonly waits = true;
  private readonly bridge: Bridge;
  private readonly session: ClientSession;
  private readonly store: Store;
  /** Number of the connection on which a message was refused: nothing after it is taken there. */
  private refusedOn = 0;

  constructor(bridge: Bridge, session: ClientSession, store: Store) {
    this.bridge = bridge;
    this.session = session;
    this.store = store;
  }

  /**
   * What must be durable and cannot be is not taken: the Server keeps it, and sends it again on the next connection.
   */
  onMessage(session: IntakeSession, packet: Packet): number {
    if (this.refusedOn === session.connectionNumber || this.bridge.refusesUnstored && !this.store.isWorking)
      return this.refuse(session);
    return this.bridge.onMessage(this.session, packet);
  }

  identityOf(): number {
    return SERVER_IDENTITY;
  }

  refuse(session: IntakeSession): number {
    this.refusedOn = session.connectionNumber;
    return REFUSED;
  }

  /** There is a storage that works: what was refused is asked for again. */
  ask(): void {
    if (this.refusedOn !== 0 && this.refusedOn === this.session.connectionNumber && this.session.isConnected)
      this.session.fail(ReasonCode.QUOTA_EXCEEDED);
    this.refusedOn = 0;
  }
}
