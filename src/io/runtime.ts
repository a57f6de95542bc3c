/**
 * A whole gateway on a platform: builds the core and what drives it, starts and stops it. The two entry points,
 * device and host, and the tests differ in the platform that they pass, and in nothing else.
 */
import { ArenaPlan } from '../bytes/arena.ts';
import { RingSpace } from '../bytes/ring-buffer.ts';
import type { Configuration } from '../config/configuration.ts';
import * as Event from '../config/events.ts';
import { Gateway } from '../gateway/gateway.ts';
import { longestOutgoingPacket } from '../gateway/packet-limits.ts';
import { CachedViews, ResizedViews } from './exact-view.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { FreeLinks } from './free-links.ts';
import { Link } from './link.ts';
import { LinkContext, type LinkOwner } from './link-context.ts';
import { NodeListener } from './node-listener.ts';
import type { Platform } from './platform.ts';
import { type Driven, Scheduler } from './scheduler.ts';
import { type SensorObserver, Sensors } from '../sensors/sensors.ts';
import { STOPPED } from '../upstream/upstream-phase.ts';
import { StoreOpening, type StoreRemarks } from './store-opening.ts';
import { Upstream } from './upstream.ts';

export interface RuntimeObserver extends StoreRemarks, SensorObserver {
  /** The RAM map, out of the constructor. The gateway does not keep it. */
  onPlanned?(regions: ArenaPlan['regions']): void;
  /** Nodes may connect now. Not every platform tells. */
  onListening(port: number): void;
  /** They may not. Where the listener could not even be made, the next `joinNetwork` tries again. */
  onListenerError(message: string): void;
  /** A defect of ours or of the platform; it has cost one connection at most. */
  onException(error: unknown): void;
}

/** What was sent before the end still goes out for this long, in milliseconds. */
const CLOSE_TIMEOUT = 2000;

/** In place of the index of a session. */
export const NOBODY = -2;

export class Runtime implements Driven, LinkOwner {
  readonly gateway: Gateway;
  readonly upstream: Upstream;
  readonly sensors: Sensors;
  /** Of the last connection that found no place, where the platform tells. */
  turnedAwayAddress: string | undefined = undefined;
  private readonly links: readonly Link[];
  private readonly freeLinks = new FreeLinks();
  private readonly upstreamLink: Link;
  private readonly scheduler: Scheduler;
  private readonly storeOpening: StoreOpening;
  private readonly context: LinkContext;
  private readonly platform: Platform;
  private readonly observer: RuntimeObserver;
  private listener: NodeListener | undefined = undefined;
  private onStopped: (() => void) | undefined = undefined;
  /** From `stop` on: nothing is sampled any more, nor is the timer set for it. */
  private isStopping = false;

  /**
   * Acquires memory only.
   * @throws Error when the configuration cannot work: an address that is none, an unknown sensor type
   * @throws MemoryShortage before the arena is allocated
   */
  constructor(configuration: Configuration, platform: Platform, observer: RuntimeObserver) {
    const { listener } = configuration;
    this.platform = platform;
    this.observer = observer;
    const plan = new ArenaPlan();
    plan.limit = platform.arenaLimit ?? Infinity;
    const layout = platform.layout ?? configuration;
    const longestPacket = longestOutgoingPacket(layout);
    const nodeRing = Math.min(longestPacket, Math.max(listener.max_packet_size, listener.max_queued_bytes));
    const upstreamRingOffset = plan.reserve('upstream: transmit ring', longestPacket);
    const nodeRingsOffset = plan.reserve('node: transmit ring', nodeRing, listener.max_connections + 1);
    const sensorsPlan = Sensors.plan(plan, layout.sensors);
    const gateway = this.gateway = new Gateway(configuration, {
      authenticator: platform.authenticator,
      layout: platform.layout,
      observer,
      plan,
      landingCapacity: platform.landingCapacity,
      traffic: platform.traffic,
      machine: platform.machine,
      resizable: platform.resizable,
      date: platform.date,
      firstIdentifier: platform.firstIdentifier,
      orderCounters: platform.orderCounters,
    });
    observer.onPlanned?.(plan.regions);
    const { arena } = gateway;
    const scheduler = this.scheduler = new Scheduler(gateway.clock, platform.time, platform.createTimer, this);
    const views = platform.resizable ? new ResizedViews(arena) : new CachedViews(arena);
    const context = this.context =
      new LinkContext(arena, views, scheduler, { TCP: platform.TCP, owner: this, closeTimeout: CLOSE_TIMEOUT });
    context.nodeTCP = platform.nodeTCP ?? platform.TCP;
    this.upstreamLink = new Link(context, gateway.upstream, new RingSpace(arena, longestPacket), upstreamRingOffset);
    const nodeRings = new RingSpace(arena, nodeRing);
    const { freeLinks } = this;
    const links = this.links = gateway.sessions.map((session, index) =>
      new Link(context, session, nodeRings, nodeRingsOffset + index * nodeRing));
    for (let index = links.length; index-- > 0;)
      freeLinks.add(links[index]!);
    this.storeOpening = new StoreOpening(gateway, scheduler, platform.openStorage, observer);
    this.upstream = new Upstream(gateway, this.upstreamLink, platform.resolver, scheduler, platform.random);
    this.sensors = new Sensors(gateway, sensorsPlan, platform.createSensor, observer, platform.date ?? (() => 0));
  }

  /** @param hasNetwork false: readings go to the store, nothing else happens until `joinNetwork` */
  start(hasNetwork = true): void {
    this.scheduler.enter();
    this.storeOpening.open();
    this.gateway.systemTopics.start();
    this.gateway.notifications.start();
    this.sensors.start();
    this.scheduler.leave();
    if (hasNetwork)
      this.joinNetwork();
  }

  /** The network is there, for the first time or again. */
  joinNetwork(): void {
    this.scheduler.enter();
    if (this.upstream.phase === STOPPED)
      this.upstream.start();
    else
      this.upstream.plug();
    if (this.listener === undefined)
      this.listen();
    this.scheduler.leave();
  }

  /** Makes another attempt to get the listener's port, where the listener has told that it could not have it. */
  listenAgain(): void {
    this.scheduler.enter();
    this.listener?.close();
    this.listener = undefined;
    this.listen();
    this.scheduler.leave();
  }

  /** Whose event is being handled, or was last: index of a session, UPSTREAM, or NOBODY. */
  get subjectAtHand(): number {
    const { active } = this.context;
    return active === undefined ? NOBODY : active === this.upstreamLink ? Event.UPSTREAM
      : this.links.indexOf(active as Link);
  }

  /** Whether nodes can connect; where the listener tells later that it cannot listen, until then as well. */
  get isListening(): boolean {
    return this.listener !== undefined;
  }

  /** Where the connection of a session comes from; undefined where the platform does not tell. */
  addressOf(session: number): string | undefined {
    return this.links[session]!.remoteAddress;
  }

  /** As TCPSocket.identity, of the node of a session. */
  readonly identityOf = (session: number): string | undefined => this.links[session]!.identity;

  /**
   * Says goodbye to everybody, then calls back: when what it had to say has been acknowledged, and no later than three
   * seconds from now.
   */
  stop(onStopped: () => void): void {
    this.onStopped = onStopped;
    this.isStopping = true;
    this.scheduler.enter();
    this.listener?.close();
    this.sensors.stop();
    this.gateway.shutDown();
    this.upstream.stop();
    this.finishStopping();
    this.scheduler.leave();
  }

  /** For a decision that came later than `authenticate`: brackets `decide` like an event of the network. */
  later(decide: () => void): void {
    this.scheduler.enter();
    decide();
    this.scheduler.leave();
  }

  /**
   * An exception has left a callback: a defect, ours or the platform's. The edge catches it, Node by
   * `uncaughtException` and the board by its abort hook, because a `try` around each event would cost a tenth of it.
   * The connection whose event it was is given up [MQTT311-4.8.0-2], the rest lives on.
   */
  recover(error: unknown): void {
    const { context } = this;
    context.buffer.resize(context.length);
    this.observer.onException(error);
    this.scheduler.enter();
    context.active?.abort(ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR);
    context.active = undefined;
    this.scheduler.leave();
  }

  onLinkEstablished(link: Link): void {
    if (link === this.upstreamLink)
      this.upstream.linkEstablished();
  }

  onLinkClosed(link: Link, reasonCode: number): void {
    if (link === this.upstreamLink)
      this.upstream.linkClosed(reasonCode);
    else
      this.freeLinks.add(link);
    this.finishStopping();
  }

  /** For the scheduler. */
  handleTimeout(): void {
    this.context.active = undefined;
    this.gateway.handleTimeout();
    this.upstream.handleTimeout();
    if (!this.isStopping)
      this.storeOpening.handleTimeout();
    if (this.context.closing !== undefined)
      this.context.finishClosing();
    if (!this.isStopping)
      this.sensors.handleTimeout();
  }

  /** For the scheduler. */
  handleDeferred(): void {
    this.context.active = undefined;
    this.gateway.commit();
    if (!this.isStopping)
      this.storeOpening.handleTimeout();
    this.gateway.handleDeferred();
    if (this.context.closing !== undefined)
      this.context.finishClosing();
  }

  /** What goes wrong here keeps nodes out, and nothing else. */
  private listen(): void {
    const { freeLinks, gateway: { configuration: { listener }, sessions }, links, observer, platform } = this;
    try {
      this.listener =
        new NodeListener(platform.Listener, listener, { sessions, links, freeLinks }, this.scheduler, {
        onListening: actual => observer.onListening(actual),
        onError: message => observer.onListenerError(message),
        onTurnedAway: remoteAddress => {
          this.turnedAwayAddress = remoteAddress;
          ++this.gateway.endings.turnedAwayCount;
          observer.onEvent(Event.TURNED_AWAY, Event.UPSTREAM, 0);
        },
      });
    } catch (error) {
      observer.onListenerError(error instanceof Error ? error.message : String(error));
    }
  }

  private finishStopping(): void {
    if (this.onStopped === undefined || !this.upstreamLink.isFree
      || this.freeLinks.count < this.links.length)
      return;
    const { onStopped } = this;
    this.onStopped = undefined;
    this.scheduler.stop();
    this.gateway.durableStore?.backlog.store.close();
    onStopped();
  }
}
