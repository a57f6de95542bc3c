/** All of a configuration: the gateway with the nodes, and one for each further upstream. */
import type { Configuration, ListenerConfiguration } from '../config/configuration.ts';
import { parseAddress, urlOf } from '../config/upstream-address.ts';
import { type Status, statusOf } from '../gateway/status.ts';
import type { ReloadPlan } from '../io/reload.ts';
import type { Runtime } from '../io/runtime.ts';
import type { LoadedConfiguration } from './config.ts';
import { type FurtherPlan, type FurtherStatus, FurtherUpstreams, forgetOthers } from './further-upstreams.ts';
import { OF_A_PORT } from './several-ports.ts';
import { HostGateway, type ListenerNews, type StoreNews } from './host-gateway.ts';
import type { Log } from './log.ts';

/** Of the whole program. */
export type WholeStatus = Status & { readonly upstreams?: readonly FurtherStatus[] };

/** What a configuration that was read again changes. */
export interface WholePlan extends ReloadPlan {
  readonly further: readonly FurtherPlan[];
  /** Whether further listeners are others, which needs a restart. */
  readonly hasOtherListeners: boolean;
}

/** What there is of several beside the first one. */
export type Further = { readonly [Key in 'further' | 'listeners']?: NonNullable<LoadedConfiguration[Key]> };

export class Gateways {
  /** The one with the nodes. */
  readonly first: HostGateway;
  private readonly further: FurtherUpstreams | undefined;
  private readonly log: Log;
  private readonly names: readonly string[];
  private readonly listeners: readonly ListenerConfiguration[];

  /** @throws as HostGateway.create */
  static async create(configuration: Configuration, { further = [], listeners = [] }: Further, log: Log,
    news: ListenerNews, onNoStore?: StoreNews): Promise<Gateways> {
    const first = await HostGateway.create(configuration, log, news, onNoStore,
      { cables: further.length, isFurther: false, listeners });
    return new Gateways(first,
      further.length === 0 ? undefined : await FurtherUpstreams.create(first, further, log, onNoStore),
      { further, listeners }, log);
  }

  private constructor(first: HostGateway, further: FurtherUpstreams | undefined, others: Required<Further>, log: Log) {
    this.first = first;
    this.further = further;
    this.log = log;
    this.names = others.further.map(({ name }) => name);
    this.listeners = others.listeners;
  }

  get runtime(): Runtime {
    return this.first.runtime;
  }

  start(): void {
    this.first.start();
    forgetOthers(this.runtime, this.names, this.log);
    this.further?.start();
  }

  listenAgain(): void {
    this.first.listenAgain();
  }

  get places(): readonly string[] | undefined {
    return this.first.places;
  }

  planFor(wanted: Configuration): ReloadPlan {
    return this.first.planFor(wanted);
  }

  /** As HostGateway.reload. */
  async reload(wanted: Configuration, { further = [], listeners = [] }: Further): Promise<WholePlan> {
    const plan = await this.first.reload(wanted);
    const hasOtherListeners = portsOf(listeners) !== portsOf(this.listeners);
    return { ...plan, hasOtherListeners, further: await this.further?.reload(further)
      ?? further.map(({ name }) => ({ name, plan: undefined })) };
  }

  get status(): WholeStatus {
    const { further, first: { runtime, side, tlsStatus } } = this;
    const status = statusOf(runtime, performance.now() | 0, Math.floor(Date.now() / 1000), tlsStatus, side);
    return further === undefined ? status : { ...status, upstreams: further.status };
  }

  async stop(): Promise<void> {
    await Promise.all([this.first.stop(), this.further?.stop()]);
  }
}

/** What of further listeners is theirs. */
const portsOf = (listeners: readonly ListenerConfiguration[]): string =>
  JSON.stringify(listeners, [...OF_A_PORT]);

/** Of the ready line. */
export const addressesOf = (configurations: readonly Configuration[]): string =>
  configurations.flatMap(({ upstream }) => upstream.address).map(address => urlOf(parseAddress(address))).join(',');
