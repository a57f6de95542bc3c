/** Puts together what the side of the nodes knows of them: who is there, who wants what, what is retained. At start. */
import type { Configuration } from '../config/configuration.ts';
import type * as Event from '../config/events.ts';
import type { SessionContext } from '../session/session-role.ts';
import { isLimited } from '../nodes/access-lengths.ts';
import { Access } from '../nodes/access.ts';
import { Delivery } from '../nodes/delivery.ts';
import { NodeStates } from '../nodes/node-states.ts';
import { RetainedMessages } from '../nodes/retained.ts';
import { StoredDelivery } from '../nodes/stored-delivery.ts';
import { Subscriptions } from '../nodes/subscriptions.ts';
import type { Regions } from './regions.ts';

/** @returns what gives messages to nodes, and has all the rest */
export function createDelivery(
  context: SessionContext, regions: Regions, { listener, memory }: Configuration,
  observer: Event.GatewayObserver,
): Delivery {
  const { arena, clock } = context;
  const nodes = new NodeStates(arena, regions.nodes, regions.nodeLimits, listener.max_clientid_length,
    listener.users.length);
  nodes.dropsOldest = listener.queue_full === 'drop_oldest';
  const subscriptions = new Subscriptions(arena, regions.subscriptions, listener.max_sessions);
  const retained = new RetainedMessages(arena, regions.retained);
  retained.clock = clock;
  const access = regions.access && isLimited(listener) ? new Access(arena, regions.access, listener) : undefined;
  return new (regions.isDurable ? StoredDelivery : Delivery)(
    context, memory.topics, { nodes, subscriptions, retained, access }, observer);
}
