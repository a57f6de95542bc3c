/** A node that the gateway knows, connected or away. */
import type { QueueLimits } from '../session/queue-limits.ts';
import type { ServerSession } from '../session/server-session.ts';
import { SessionState } from '../session/session-state.ts';

/** The state of its session, and whose it is. */
export class NodeState extends SessionState {
  /** Position in the pool; the subscriptions name it. */
  readonly index: number;
  readonly identifierOffset: number;
  /** 0: this place is free. */
  identifierLength = 0;
  /** What it was until then: who has sent what is set aside is asked for later. */
  formerLength = 0;
  /** 32 bits made from the identifier, never 0: who it is in the store. */
  identity = 0;
  /** The node's connection, undefined while it is away. */
  session: ServerSession | undefined = undefined;
  /** Index of its user in the configuration, -1 for none. Nobody else may continue or take over the session. */
  user = -1;
  /** Grows with each disconnection; the smallest one has been away longest. */
  awaySince = 0;

  /** @param offset region of `limits.length` bytes, and after them room for an identifier */
  constructor(limits: QueueLimits, offset: number, index: number) {
    super(limits, offset, undefined, index);
    this.index = index;
    this.identifierOffset = offset + limits.length;
  }
}
