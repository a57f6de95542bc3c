/** All of a configuration: the gateway with the nodes, and one for each further upstream. */
import type { Configuration, ListenerConfiguration } from '../config/configuration.ts';
import { parseAddress, urlOf } from '../config/upstream-address.ts';
import { ALL_IS_WELL } from '../gateway/advice.ts';
import { type Status, statusOf } from '../gateway/status.ts';
import type { ReloadPlan } from '../io/reload.ts';
import type { Runtime } from '../io/runtime.ts';
import type { LoadedConfiguration } from './config.ts';
import { type FurtherPlan, type FurtherStatus, FurtherUpstreams, forgetOthers } from './further-upstreams.ts';
import { OF_A_PORT } from './several-ports.ts';
import { claimStore, findLeftStores } from './first-upstream.ts';
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
export type Further =
  { readonly [Key in 'firstName' | 'further' | 'listeners']?: NonNullable<LoadedConfiguration[Key]> };

export class Gateways {
  /** The one with the nodes. */
  readonly first: HostGateway;
  private readonly further: FurtherUpstreams | undefined;
  private readonly log: Log;
  private readonly names: readonly string[];
  private readonly listeners: readonly ListenerConfiguration[];
  private readonly firstName: string;

  /** @throws as HostGateway.create */
  static async create(configuration: Configuration, { firstName = '', further = [], listeners = [] }: Further, log: Log,
    news: ListenerNews, onNoStore?: StoreNews): Promise<Gateways> {
    claimStore(configuration.store, firstName);
    for (const file of findLeftStores(configuration.store, further.map(({ name }) => name)))
      log.write('warning', `${file} is the store of an upstream that is not configured any more, and what waits in it is `
        + 'not sent');
    const first = await HostGateway.create(configuration, log, news, onNoStore,
      { cables: further.length, isFurther: false, listeners });
    return new Gateways(first,
      further.length === 0 ? undefined : await FurtherUpstreams.create(first, further, log, onNoStore),
      { firstName, further, listeners }, log);
  }

  private constructor(first: HostGateway, further: FurtherUpstreams | undefined, others: Required<Further>, log: Log) {
    this.first = first;
    this.further = further;
    this.log = log;
    this.names = others.further.map(({ name }) => name);
    this.listeners = others.listeners;
    this.firstName = others.firstName;
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

  /** As HostGateway.reload. @throws Error when another upstream is the first one */
  async reload(wanted: Configuration, { firstName = '', further = [], listeners = [] }: Further): Promise<WholePlan> {
    if (firstName !== this.firstName)
      throw new Error(`the first upstream is ${nameOf(firstName)}, and was ${nameOf(this.firstName)}: put that first again, `
        + 'or start the program anew');
    const plan = await this.first.reload(wanted);
    const hasOtherListeners = portsOf(listeners) !== portsOf(this.listeners);
    return { ...plan, hasOtherListeners, further: await this.further?.reload(further)
      ?? further.map(({ name }) => ({ name, plan: undefined })) };
  }

  get status(): WholeStatus {
    const { further, first: { runtime, side, tlsStatus } } = this;
    const status = statusOf(runtime, performance.now() | 0, Math.floor(Date.now() / 1000), tlsStatus, side);
    if (further === undefined)
      return status;
    const upstreams = further.status;
    const troubled = upstreams.find(({ advice }) => advice !== ALL_IS_WELL);
    return { ...status, advice: status.advice !== ALL_IS_WELL || troubled === undefined ? status.advice
      : `upstream "${troubled.name}": ${troubled.advice}`, upstreams };
  }

  async stop(): Promise<void> {
    await Promise.all([this.first.stop(), this.further?.stop()]);
  }
}

const nameOf = (name: string): string => name === '' ? 'one without a name' : `"${name}"`;

/** What of further listeners is theirs. */
const portsOf = (listeners: readonly ListenerConfiguration[]): string =>
  JSON.stringify(listeners, [...OF_A_PORT]);

/** Of the ready line. */
export const addressesOf = (configurations: readonly Configuration[]): string =>
  configurations.flatMap(({ upstream }) => upstream.address).map(address => urlOf(parseAddress(address))).join(',');
