/**
 * The bridge of a gateway that tells Home Assistant of its devices, and its map of what goes out: besides what the
 * rules ask for it subscribes to what discovery wants to hear, after them. Only where that is configured, so that
 * elsewhere nothing is asked for each message.
 */
import type { Message, Packet } from '../packet/packet.ts';
import type { ClientSession } from '../session/client-session.ts';
import { TAKEN } from '../session/session-role.ts';
import { Bridge } from '../upstream/bridge.ts';
import { NO_RULE, TopicMap, UNRESOLVED } from '../upstream/topic-map.ts';
import type { DiscoveryFilters } from './discovery-filters.ts';
import type { Discovery } from './discovery.ts';

/** No message of a node becomes a command to restart on its way out: the broker would bring it back. */
export class DiscoveryTopicMap extends TopicMap {
  filters: DiscoveryFilters | undefined = undefined;

  override resolve(index: number, message: Message): number {
    const rule = super.resolve(index, message);
    if (rule === NO_RULE || this.filters?.isRestart(this.placesOffset + index * this.placeLength,
      this.table[this.lengths + index]!) !== true)
      return rule;
    if (index < this.uncached)
      this.table[index] = NO_RULE;
    return NO_RULE;
  }
}

/** Undefined: Home Assistant is told nothing. */
export const discoveryOf = (bridge: Bridge): Discovery | undefined =>
  bridge instanceof DiscoveryBridge ? bridge.discovery : undefined;

export class DiscoveryBridge extends Bridge {
  discovery!: Discovery;

  tell(discovery: Discovery): Discovery {
    (this.outbound as DiscoveryTopicMap).filters = discovery.filters;
    return this.discovery = discovery;
  }

  override onMessage(session: ClientSession, packet: Packet): number {
    return this.discovery.filters.receive(session, packet) && !this.isAsked(packet) ? TAKEN
      : super.onMessage(session, packet);
  }

  override onSubscribed(session: ClientSession, code: number): void {
    if (this.discovery.filters.takesAnswer(code))
      this.subscribeNext();
    else
      super.onSubscribed(session, code);
  }

  override subscribeNext(): void {
    super.subscribeNext();
    const { session } = this;
    if (session.isConnected && !session.isSubscribing && !session.isGated && !this.suspects.holdsFilters)
      this.discovery.filters.askNext(session);
  }

  override goOn(): void {
    super.goOn();
    const { discovery, session } = this;
    const store = this.backlog?.store;
    if (discovery.filters.handleTimeout())
      this.subscribeNext();
    discovery.advance(session, store?.isWorking === true ? store.state : undefined);
  }

  /** Whether a rule asks for it too. */
  private isAsked(packet: Packet): boolean {
    const { inbound } = this;
    const rule = inbound.table[packet.topicIndex]!;
    return (rule === UNRESOLVED ? inbound.resolve(packet.topicIndex, packet) : rule) >= 0;
  }
}
