/** What sessions of nodes are brought back to from the store, and whom that concerns. */
import type * as Event from '../config/events.ts';
import type { MessageSpans } from '../packet/packet.ts';
import type { MessageRestorationParts } from './message-restoration.ts';
import type { NodeState } from './node-state.ts';
import type { SessionExpiry } from './session-expiry.ts';
import type { StoredWills } from './stored-wills.ts';

export interface RestorationParts extends MessageRestorationParts {
  readonly wills: StoredWills;
  readonly expiry: SessionExpiry;
  readonly observer: Event.GatewayObserver;
  readonly identifierCapacity: number;
  allowsAnonymous: boolean;
  readonly publisher: WillPublisher;
}

/** Publishes the Will of a node that has not come back. */
export interface WillPublisher {
  publishStoredWill(node: NodeState, will: MessageSpans): void;
  /** Forgets a node of which nothing was kept but its Will. */
  forgetNode(node: NodeState): void;
  /** Whether the Will of the node waits for its Will Delay. */
  delaysWill(node: NodeState): boolean;
}
