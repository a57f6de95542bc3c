/**
 * Keeps the connection to the Server: resolves its name, connects, and after an end or a failure waits and tries again,
 * with the next address if there are several. Never gives up, never hurries: see upstream/back-off.ts.
 */
import { parseAddress, type UpstreamAddress } from '../config/upstream-address.ts';
import * as Event from '../config/events.ts';
import type { Gateway, UpstreamDriver } from '../gateway/gateway.ts';
import { CONNECTING, OPEN, RESOLVING, STOPPED, WAITING } from '../upstream/upstream-phase.ts';
import { versionNamed } from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { BackOff, isRefusal } from '../upstream/back-off.ts';
import { SpokenVersions } from '../upstream/spoken-versions.ts';
import { isDue } from '../session/clock.ts';
import { CLOSED, CONNECTING as SESSION_CONNECTING } from '../session/connection-state.ts';
import { type Connector, PLAIN_CONNECTOR } from './connector.ts';
import { CLASH_INTERVAL, IdentifierClash } from './identifier-clash.ts';
import type { Link } from './link.ts';
import type { Scheduler } from './scheduler.ts';
import type { Resolver } from './transport.ts';

/** Milliseconds for what is still to be said and answered at the end, and then for what the network has not taken. */
const FAREWELL_TIMEOUT = 2000;
const CLOSE_TIMEOUT = 500;
/** In place of an index. */
const NONE = -1;
/** From one look at that to the next. */
const FAREWELL_INTERVAL = 10;

/** Milliseconds in which what was sent on the last connection goes out, before another address or version is tried. */
const NEXT_ADDRESS_WAIT = 100;

export class Upstream implements UpstreamDriver {
  /** One of upstream-phase.ts. */
  phase: number = STOPPED;
  /** Why the last attempt or session ended; SUCCESS before the first end. */
  reasonCode = ReasonCode.SUCCESS;
  attemptCount = 0;
  /**
   * Moment of the next attempt while WAITING, of the time-out of name resolution while RESOLVING, of that of the
   * connection, with TLS and CONNACK, while CONNECTING, and OPEN without CONNACK.
   */
  deadline = 0;
  private readonly gateway: Gateway;
  private readonly link: Link;
  private readonly resolver: Resolver;
  private readonly scheduler: Scheduler;
  private readonly observer: Event.GatewayObserver;
  /** Those of the configuration, and which one comes next after an end. */
  addresses: readonly UpstreamAddress[];
  /** The one in use, or the next one to be tried. */
  address: UpstreamAddress;
  backOff: BackOff;
  connectTimeout: number;
  connector: Connector = PLAIN_CONNECTOR;
  /** As Connector.problemOf, of `reasonCode`. */
  problem = '';
  addressIndex = 0;
  /** Of the name in use, the one that is tried next, without another question and another wait. */
  private nextAddress: string | undefined = undefined;
  /** That of the last session. */
  private lastIndex = NONE;
  private connectedAt = 0;
  private wasConnected = false;
  private isUnplugged = false;
  /** From `stop` on, as long as there is a connection. */
  private isLeaving = false;
  private readonly clash = new IdentifierClash();
  readonly versions = new SpokenVersions();

  /** @param random uniform in [0, 1) @throws Error when an address is none */
  constructor(gateway: Gateway, link: Link, resolver: Resolver, scheduler: Scheduler, random: () => number) {
    const { address, connack_timeout, restart_timeout } = gateway.configuration.upstream;
    this.gateway = gateway;
    this.link = link;
    this.resolver = resolver;
    this.scheduler = scheduler;
    this.observer = gateway.observer;
    this.addresses = address.map(parseAddress);
    this.address = this.addresses[0]!;
    this.backOff = new BackOff(restart_timeout[0] * 1000, restart_timeout[1] * 1000, random);
    this.connectTimeout = connack_timeout * 1000;
    gateway.driver = this;
  }

  start(): void {
    this.attempt();
  }

  /**
   * Says farewell and then DISCONNECT if there is somebody to say it to: when all has been answered, or after two
   * seconds. No further attempts.
   */
  stop(): void {
    const wasOpen = this.phase === OPEN;
    this.phase = STOPPED;
    this.resolver.cancel?.();
    if (!wasOpen) {
      this.link.abort(ReasonCode.SUCCESS);
      return;
    }
    this.isLeaving = true;
    this.deadline = this.gateway.clock.now + FAREWELL_TIMEOUT | 0;
    this.gateway.upstream.sayFarewell();
    this.leave();
  }

  private leave(): void {
    const { clock, upstream } = this.gateway;
    if (upstream.isConnected && !upstream.isSettled && !isDue(this.deadline, clock.now)) {
      clock.request(clock.now + FAREWELL_INTERVAL | 0);
      return;
    }
    if (upstream.state !== CLOSED) {
      this.deadline = clock.now + CLOSE_TIMEOUT | 0;
      upstream.disconnect();
    }
    if (isDue(this.deadline, clock.now))
      this.link.abort(ReasonCode.SUCCESS);
    this.isLeaving = !this.link.isFree;
    if (this.isLeaving)
      clock.request(this.deadline);
  }

  /**
   * As if the cable were pulled, for demonstrations: the connection is lost without a word, and every attempt fails
   * until `plug`.
   */
  unplug(): void {
    this.isUnplugged = true;
    this.link.abort(ReasonCode.NETWORK_CLOSED);
  }

  /** Tries again at once: whoever puts the cable back waits for it. */
  plug(): void {
    this.isUnplugged = false;
    if (this.phase !== WAITING)
      return;
    this.backOff.reset();
    this.attempt();
  }

  handleTimeout(): void {
    const { phase } = this;
    if (this.isLeaving)
      this.leave();
    const { clock, upstream: { state } } = this.gateway;
    const awaitsConnack = phase === OPEN && state === SESSION_CONNECTING;
    if (phase !== WAITING && phase !== RESOLVING && phase !== CONNECTING && !awaitsConnack)
      return;
    if (!isDue(this.deadline, clock.now))
      clock.request(this.deadline);
    else if (phase === WAITING)
      this.goOn();
    else if (phase === RESOLVING)
      this.fail(ReasonCode.NAME_NOT_RESOLVED);
    else
      this.link.abort(awaitsConnack ? ReasonCode.CONNACK_TIMEOUT : ReasonCode.NETWORK_UNREACHABLE);
  }

  upstreamConnected(): boolean {
    const { addressIndex, lastIndex } = this;
    this.connectedAt = this.gateway.clock.now;
    this.wasConnected = true;
    this.lastIndex = addressIndex;
    return lastIndex !== NONE && lastIndex !== addressIndex;
  }

  upstreamClosed(reasonCode: number): void {
    this.watchClash(reasonCode);
    if (this.phase !== OPEN && this.phase !== CONNECTING)
      return;
    const { addressIndex, gateway: { clock, upstream: { version } }, wasConnected } = this;
    const fallsBack = !wasConnected && this.versions.note(addressIndex, version, reasonCode, clock.now);
    if (fallsBack) // on a new connection (rule C2)
      this.observer.onEvent(Event.VERSION_REFUSED, Event.UPSTREAM, version);
    this.nextAddress = wasConnected || fallsBack ? undefined : this.otherAddress(reasonCode);
    if (this.nextAddress === undefined && !fallsBack) {
      this.wait(reasonCode);
      return;
    }
    this.reasonCode = reasonCode;
    this.phase = WAITING;
    this.limit(NEXT_ADDRESS_WAIT);
  }

  /** Whether the Server seems to have another Client of our identifier. */
  isFoughtOver(now: number): boolean {
    const lasts = this.phase === OPEN && this.wasConnected && (now - this.connectedAt | 0) >= CLASH_INTERVAL;
    return this.clash.isLikely && !lasts;
  }

  private watchClash(reasonCode: number): void {
    const { bridge, clock } = this.gateway;
    if (this.wasConnected && this.clash.note(reasonCode, clock.now - this.connectedAt | 0, !bridge.suspects.wasIdle))
      this.observer.onEvent(Event.IDENTIFIER_CLASH, Event.UPSTREAM, this.clash.count);
  }

  /** The link is free; if there was no session yet, the attempt has failed. */
  linkClosed(reasonCode: number): void {
    if (this.phase !== CONNECTING)
      return;
    const next = this.otherAddress(reasonCode);
    if (next === undefined)
      this.fail(reasonCode);
    else
      this.connect(next, this.address.port);
  }

  /** The network connection stands and CONNECT is under way. */
  linkEstablished(): void {
    if (this.phase === CONNECTING)
      this.phase = OPEN;
  }

  /** A Server may listen on some of the addresses of its name only. @returns one that was not tried */
  private otherAddress(reasonCode: number): string | undefined {
    return isRefusal(reasonCode) || this.isUnplugged ? undefined : this.resolver.next?.();
  }

  /** After a wait. */
  private goOn(): void {
    const { nextAddress } = this;
    if (nextAddress === undefined) {
      this.attempt();
      return;
    }
    this.nextAddress = undefined;
    this.link.abort(ReasonCode.SUCCESS); // as in `attempt`
    this.connect(nextAddress, this.address.port);
  }

  private attempt(): void {
    this.nextAddress = undefined;
    this.link.abort(ReasonCode.SUCCESS); // an old connection may still be saying goodbye
    ++this.attemptCount;
    this.wasConnected = false;
    this.phase = RESOLVING;
    this.limit(this.connectTimeout);
    const attempt = this.attemptCount;
    const { host, port } = this.address;
    this.resolver.resolve(host,
      address => this.answer(attempt, () => this.connect(address, port)),
      () => this.answer(attempt, () => this.fail(ReasonCode.NAME_NOT_RESOLVED)));
  }

  /** An answer from the resolver, unless it comes for an attempt of old. */
  private answer(attempt: number, then: () => void): void {
    if (this.phase !== RESOLVING || attempt !== this.attemptCount)
      return;
    this.scheduler.enter();
    then();
    this.scheduler.leave();
  }

  private connect(address: string, port: number): void {
    const problem = this.isUnplugged ? ReasonCode.NETWORK_UNREACHABLE : this.connector.prepare(this.address);
    if (problem !== ReasonCode.SUCCESS) {
      this.fail(problem);
      return;
    }
    const { clock: { now }, configuration: { upstream }, upstream: { connect } } = this.gateway;
    connect.version = this.versions.choose(this.addressIndex, versionNamed(upstream.bridge_protocol_version), now);
    this.phase = CONNECTING;
    this.limit(this.connectTimeout);
    try {
      this.link.connect(address, port, upstream.bridge_tcp_nodelay, this.connector.TCP);
    } catch {
      this.fail(ReasonCode.NETWORK_UNREACHABLE);
    }
  }

  /** @param timeout milliseconds that the phase may last */
  private limit(timeout: number): void {
    const { clock } = this.gateway;
    clock.request(this.deadline = clock.now + timeout | 0);
  }

  private fail(reasonCode: number): void {
    this.resolver.cancel?.();
    this.gateway.bridge.suspects.closed(reasonCode);
    this.observer.onEvent(Event.UPSTREAM_CLOSED, Event.UPSTREAM, reasonCode);
    this.wait(reasonCode);
  }

  private wait(reasonCode: number): void {
    const { backOff, gateway: { bridge: { suspects }, clock } } = this;
    this.reasonCode = reasonCode;
    this.problem = this.connector.problemOf(reasonCode);
    // Only a session that lasted proves that all is well: one that is accepted and kicked must not start over.
    if (this.wasConnected && (clock.now - this.connectedAt | 0) >= backOff.stableInterval)
      backOff.reset();
    this.wasConnected = false;
    this.addressIndex = (this.addressIndex + 1) % this.addresses.length;
    this.address = this.addresses[this.addressIndex]!;
    this.phase = WAITING;
    if (suspects.isExamining || suspects.trials.wasExpected) backOff.reset(); // everybody waits
    this.limit(suspects.trials.shorten(backOff.next(reasonCode, suspects.isHopeless || isRefusal(reasonCode))));
  }
}
