/** The rules of direction "in" as those know them who keep messages for nodes: by their identity. */
import * as Event from '../config/events.ts';
import { type RuleLifetimes, UNKNOWN } from '../nodes/message-expiry.ts';
import type { NodeState } from '../nodes/node-state.ts';
import * as Loss from './losses.ts';
import { NO_RULE, type TopicMap } from './topic-map.ts';

export class CommandRules implements RuleLifetimes {
  private readonly inbound: TopicMap;
  private readonly observer: Event.GatewayObserver;
  /** What was told of last: once, as long as it is the same node and rule. */
  private toldRule = NO_RULE;
  private toldNode: NodeState | undefined = undefined;

  constructor(inbound: TopicMap, observer: Event.GatewayObserver) {
    this.inbound = inbound;
    this.observer = observer;
  }

  lifetimeOf(rule: number): number {
    const index = this.indexOf(rule);
    return index === NO_RULE ? UNKNOWN : this.inbound.rules[index]!.configuration.expiry;
  }

  onExpired(rule: number, node: NodeState): void {
    const index = this.indexOf(rule);
    if (index !== NO_RULE) {
      ++this.inbound.rules[index]!.dropped;
      this.inbound.losses?.add(index, Loss.EXPIRED);
    }
    if (index === this.toldRule && node === this.toldNode)
      return;
    this.toldRule = index;
    this.toldNode = node;
    this.observer.onEvent(Event.COMMAND_EXPIRED, index, node.index);
  }

  private indexOf(identity: number): number {
    const { rules } = this.inbound;
    for (let index = 0; index < rules.length; ++index)
      if ((rules[index]!.identity | 0) === identity)
        return index;
    return NO_RULE;
  }
}
