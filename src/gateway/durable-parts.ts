/** Puts together what keeps the nodes' side of a gateway over a power cut. Once, at start. */
import type { Arena } from '../bytes/arena.ts';
import { hashOf } from '../bytes/compare.ts';
import { encodeUTF8 } from '../bytes/utf8.ts';
import type { Configuration, ListenerConfiguration } from '../config/configuration.ts';
import type * as Event from '../config/events.ts';
import { AwaitingNodes } from '../nodes/awaiting-nodes.ts';
import { DurableNodes } from '../nodes/durable-nodes.ts';
import type { MessageExpiry } from '../nodes/message-expiry.ts';
import type { WillPublisher } from '../nodes/restoration-parts.ts';
import type { SessionExpiry } from '../nodes/session-expiry.ts';
import type { StoredDelivery } from '../nodes/stored-delivery.ts';
import type { MessageAtHand, OriginIndex, StoredMessages } from '../nodes/stored-messages.ts';
import { StoredRetained } from '../nodes/stored-retained.ts';
import { StoredSessions } from '../nodes/stored-sessions.ts';
import { StoredWills } from '../nodes/stored-wills.ts';
import type { Clock } from '../session/clock.ts';
import type { Store } from '../store/message-store.ts';

/** The nodes' side of a gateway. */
interface NodeUsers {
  readonly delivery: StoredDelivery;
  readonly expiry: SessionExpiry;
  readonly messageExpiry: MessageExpiry | undefined;
  readonly publisher: WillPublisher;
}

export interface NodeStoreUsers {
  readonly clock: Clock;
  readonly observer: Event.GatewayObserver;
  readonly nodes: NodeUsers;
}

export interface MessageParts {
  readonly atHand: MessageAtHand;
  readonly origins: OriginIndex;
  readonly messages: StoredMessages;
  readonly willOffset: number;
}

/** By which the store knows users, wherever they stand in the configuration. */
export const hashesOfUsers = (arena: Arena, { users }: ListenerConfiguration): Int32Array =>
  Int32Array.from(users, ({ username }) =>
    hashOf(arena, arena.stagingOffset, encodeUTF8(arena, arena.stagingOffset, username) - arena.stagingOffset) || 1);

export function durableNodesOf(
  { listener, store: settings }: Configuration, store: Store, users: NodeStoreUsers, parts: MessageParts,
): DurableNodes {
  const { clock, nodes: { delivery, expiry, messageExpiry, publisher }, observer } = users;
  const { access, nodes: states, retained, subscriptions } = delivery;
  const count = states.states.length;
  const userHashes = hashesOfUsers(store.arena, listener);
  parts.messages.awaiting = new AwaitingNodes(count);
  const sessions = new StoredSessions(store, clock, subscriptions, userHashes, count);
  const durable = new DurableNodes({
    store, clock, nodes: states, delivery, access, sessions, expiry, messageExpiry, observer, publisher,
    atHand: parts.atHand,
    origins: parts.origins,
    messages: parts.messages,
    wills:
      new StoredWills(store, clock, sessions, parts.willOffset, { capacity: listener.max_will_size, count }),
    retained: new StoredRetained(store, clock, retained, observer),
    identifierCapacity: listener.max_clientid_length,
    allowsAnonymous: listener.allow_anonymous,
    keepsInMemory: settings.on_failure === 'memory',
  });
  delivery.durable = durable;
  states.journal = parts.messages;
  return durable;
}
