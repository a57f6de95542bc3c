/**
 * Further brokers, connected at the same time as the first one: for each a gateway of its own in this process, with its
 * own store and status, and a cable to the first one. A message that two brokers want is acknowledged to its node when
 * it is in both stores, or on its way there in the first one's.
 */
import { decodeUTF8 } from '../bytes/utf8.ts';
import { type Status, statusOf } from '../gateway/status.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ReloadPlan } from '../io/reload.ts';
import type { Arena } from '../bytes/arena.ts';
import type { Runtime } from '../io/runtime.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { END } from '../nodes/subscriptions.ts';
import { Cable, type CableSide } from './cable.ts';
import { CABLE_PREFIX } from './cable-port.ts';
import type { FurtherConfiguration } from './config.ts';
import { FURTHER, HostGateway, type ListenerNews, type StoreNews } from './host-gateway.ts';
import type { Log } from './log.ts';
import { PartOfLog } from './part-of-log.ts';

/** What is said of one of them. */
export interface FurtherStatus extends Pick<Status, 'advice' | 'upstream' | 'tls' | 'store' | 'quarantine' | 'rules'> {
  readonly name: string;
}

/** Nodes do not see this gateway. */
const NO_NODES: ListenerNews = { onListening: () => { /* but a cable */ }, onNotListening: () => { /* likewise */ } };
/** Milliseconds in which what the first gateway says at its end gets through the cables. */
const LAST_WORDS = 50;
/** What comes from a further broker may be for any node. */
const EVERYTHING: readonly string[] = ['#'];

export interface FurtherPlan {
  readonly name: string;
  /** Undefined: it is there before or afterwards only, which needs a restart. */
  readonly plan: ReloadPlan | undefined;
}

interface Further {
  readonly name: string;
  readonly gateway: HostGateway;
  readonly cable: Cable;
}

export class FurtherUpstreams {
  private readonly list: readonly Further[];

  /** @param first takes as many cables @throws as HostGateway.create */
  static async create(first: HostGateway, configurations: readonly FurtherConfiguration[], log: Log,
    onNoStore?: StoreNews): Promise<FurtherUpstreams> {
    const list = await Promise.all(configurations.map(async ({ configuration, name }) => {
      const part = new PartOfLog(log, `upstream "${name}": `);
      const gateway = await HostGateway.create(configuration, part, NO_NODES, onNoStore, FURTHER);
      const identifier = CABLE_PREFIX + name;
      const cable = new Cable([
        sideOf(first, identifier, () => filtersFor(gateway.runtime.gateway.configuration)),
        sideOf(gateway, identifier, () => EVERYTHING),
      ], text => void part.write('error', `the way to it ${text}`));
      return { name, gateway, cable };
    }));
    return new FurtherUpstreams(list);
  }

  private constructor(list: readonly Further[]) {
    this.list = list;
  }

  start(): void {
    for (const { cable, gateway } of this.list) {
      gateway.start();
      cable.start();
    }
  }

  get status(): FurtherStatus[] {
    return this.list.map(({ gateway: { runtime, tlsStatus }, name }) => {
      const { advice, quarantine, rules, store, tls, upstream } =
        statusOf(runtime, performance.now() | 0, Math.floor(Date.now() / 1000), tlsStatus);
      return { name, advice, upstream, tls, store, quarantine, rules };
    });
  }

  /** What `configurations` would change. */
  planFor(configurations: readonly FurtherConfiguration[]): readonly FurtherPlan[] {
    const { list } = this;
    const plans = configurations.map(({ configuration, name }): FurtherPlan => ({
      name, plan: list.find(further => further.name === name)?.gateway.planFor(configuration),
    }));
    return [...plans, ...list.filter(({ name }) => configurations.every(other => other.name !== name))
      .map(({ name }): FurtherPlan => ({ name, plan: undefined }))];
  }

  /** As HostGateway.reload; one that is new, or gone, takes effect after a restart. */
  async reload(configurations: readonly FurtherConfiguration[]): Promise<readonly FurtherPlan[]> {
    const plans = this.planFor(configurations);
    for (const { cable, gateway, name } of this.list) {
      const wanted = configurations.find(other => other.name === name);
      if (wanted === undefined)
        continue;
      await gateway.reload(wanted.configuration);
      cable.resubscribe();
    }
    return plans;
  }

  /** What the first one has said at its end still goes through the cables. */
  async stop(): Promise<void> {
    await new Promise(resolve => setTimeout(resolve, LAST_WORDS));
    await Promise.all(this.list.map(({ cable, gateway }) => {
      cable.stop();
      return gateway.stop();
    }));
  }
}

function sideOf(host: HostGateway, identifier: string, filters: () => readonly string[]): CableSide {
  const { port, runtime: { gateway } } = host;
  const { max_keepalive, max_packet_size, max_queued_bytes, max_unreleased_messages } = gateway.configuration.listener;
  return { port, identifier, receiveMaximum: max_unreleased_messages, maximumPacketSize: max_packet_size,
    queuedBytes: max_queued_bytes, maximumKeepAlive: max_keepalive, filters,
    oldFilters: () => filtersOf(gateway, identifier) };
}

/** What a further upstream wants of the first gateway. */
const filtersFor = ({ topic }: Configuration): string[] =>
  [...new Set(topic.filter(({ direction }) => direction !== 'in').map(({ local_prefix, pattern }) => local_prefix + pattern))];

/** Those that a node has. */
function filtersOf({ arena, nodes, subscriptions }: Gateway, identifier: string): string[] {
  const node = nodes.states.find(state => nameOf(arena, state) === identifier);
  const filters: string[] = [];
  if (node !== undefined)
    for (let at = subscriptions.nextOf(node.index, END); at !== END; at = subscriptions.nextOf(node.index, at))
      filters.push(decodeUTF8(arena, subscriptions.filterOffsetOf(at), subscriptions.filterLengthOf(at)));
  return filters;
}

const nameOf = (arena: Arena, { identifierLength, identifierOffset }: NodeState): string =>
  decodeUTF8(arena, identifierOffset, identifierLength);

/** What waits for an upstream that is not configured any more waits for nobody. @param names of those that are */
export function forgetOthers(runtime: Runtime, names: readonly string[], log: Log): void {
  const { gateway } = runtime;
  const { arena, nodes } = gateway;
  for (const node of nodes.states) {
    const identifier = nameOf(arena, node);
    const name = identifier.slice(CABLE_PREFIX.length);
    if (!identifier.startsWith(CABLE_PREFIX) || names.includes(name))
      continue;
    log.write('warning', `there is no upstream "${name}" any more: ${node.queue.pendingCount} messages that waited for it `
      + 'are given up');
    runtime.later(() => {
      gateway.durable?.giveWay(node);
      gateway.admission.forgetNode(node);
    });
  }
}
