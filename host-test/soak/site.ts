/**
 * The place of a gateway through its lives: the same flash, network and calendar; what each life has counted is added
 * up. The power fails whenever the campaign says so, or in the middle of whatever the flash does at a step.
 */
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { statusOf, type Status } from '../../src/gateway/status.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { type CutOptions, FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import type { SimulatedLink } from '../simulation/simulated-link.ts';
import type { PacketHandler } from '../world/peer.ts';
import { SERVER, World } from '../world/world.ts';
import { Calendar } from './calendar.ts';
import type { Chance } from './chance.ts';
import { Tally } from './tally.ts';

/** Milliseconds until a disk has flushed. */
const LONGEST_FLUSH = 30;

export interface SiteOptions {
  readonly chance: Chance;
  readonly seed: number;
  /** As a file on a disk with a cache, else as flash. */
  readonly isDisk: boolean;
  readonly blockCount: number;
  readonly server: PacketHandler;
  readonly readSensor: (retain: boolean) => number;
  readonly onLoss: (pattern: string, reason: number) => void;
  /** A life has ended: without power or in peace. */
  readonly onEnd: (isKilled: boolean) => void;
  readonly onConnected: () => void;
  readonly onClosed: () => void;
}

export class Site {
  readonly world: World;
  readonly tally = new Tally();
  readonly calendar = new Calendar();
  readonly medium: FlashMedium;
  isOn = false;
  /** Lives so far. */
  life = 0;
  private readonly options: SiteOptions;
  private flash: SimulatedFlash | undefined = undefined;
  private upstreamLink: SimulatedLink | undefined = undefined;
  private readonly nodeLinks: SimulatedLink[] = [];
  private cutAt = Infinity;

  constructor(options: SiteOptions) {
    this.options = options;
    this.medium = new FlashMedium(1024, options.blockCount);
    this.world = new SiteWorld({ board: PEER, server: options.server, seed: options.seed },
      event => this.notice(event));
    this.world.network.onLink = link => {
      if (link.address === SERVER)
        this.upstreamLink = link;
      else
        this.nodeLinks.push(link);
      this.world.network.links.length = 0;
      if (this.nodeLinks.length > 16)
        this.nodeLinks.shift();
    };
  }

  get now(): number {
    return this.world.clock.time;
  }

  /** The power comes, and the gateway starts. @param cutAfter steps of the flash, it goes again */
  start(configuration: PartialConfiguration, isCalendarKnown: boolean, cutAfter = Infinity): void {
    const { calendar, options: { chance, onLoss, readSensor }, world } = this;
    const life = ++this.life;
    this.isOn = true;
    this.cutAt = this.medium.stepCount + cutAfter;
    calendar.begin(this.now, isCalendarKnown);
    world.begin({
      configuration,
      openStorage: (_store, arena) => this.openStorage(arena),
      date: () => calendar.date(this.now),
      createSensor: ({ retain }) => ({ read: () => readSensor(retain) }),
      firstIdentifier: () => chance.fraction(),
      onListenerError: message => {
        if (this.isOn && life === this.life)
          throw new Error(message);
      },
    });
    this.tally.watch(world, (pattern, reason) => {
      if (this.isOn && life === this.life) {
        this.tally.lose(pattern, reason);
        onLoss(pattern, reason);
      } else
        this.tally.loseInTheDark(pattern);
    });
    world.runtime.start();
  }

  /** The power goes. */
  kill(): void {
    if (!this.isOn)
      return;
    this.isOn = false;
    this.tally.ended.addStatus(this.status);
    this.calendar.end(this.now, true);
    if (this.flash !== undefined)
      this.flash.isDead = true;
    if (this.options.chance.happens(0.5))
      for (const link of [...this.nodeLinks, ...this.upstreamLink === undefined ? [] : [this.upstreamLink]])
        link.drop();
    this.world.cutPower();
    this.options.onEnd(true);
  }

  /** As SIGTERM does. */
  stop(onStopped: () => void): void {
    const { life } = this;
    this.world.runtime.stop(() => {
      if (!this.isOn || life !== this.life)
        return;
      this.isOn = false;
      this.tally.ended.addStatus(this.status);
      this.calendar.end(this.now, false);
      this.world.cutPower();
      this.options.onEnd(false);
      onStopped();
    });
  }

  get status(): Status {
    return statusOf(this.world.runtime, this.world.clock.now, this.calendar.date(this.now));
  }

  get isConnected(): boolean {
    return this.isOn && this.world.isConnected;
  }

  /** A connection that is up ends, in one of the ways that there are. */
  cutLink(isUpstream: boolean): void {
    const { chance } = this.options;
    const link = isUpstream ? this.upstreamLink : chance.pick([...this.nodeLinks, undefined]);
    if (link === undefined)
      return;
    if (chance.happens(0.4))
      link.reset();
    else if (chance.happens(0.5))
      link.drop();
    else
      chance.pick([link.toClient, link.toServer]).cutAfter(chance.integer(1, 300), chance.pick(['reset', 'close']));
  }

  /** What nobody asks for any more. */
  forget(): void {
    const { world } = this;
    world.uplinks.length = world.events.length = world.eventTexts.length = 0;
  }

  private openStorage(arena: ConstructorParameters<typeof SimulatedFlash>[0]): SimulatedFlash {
    const { chance, isDisk } = this.options;
    const cut: CutOptions = {
      cutAt: this.cutAt, random: chance.fraction, isCached: isDisk, isDeferred: isDisk, isTearing: isDisk,
    };
    const later = (action: () => void): void =>
      void this.world.clock.schedule(chance.integer(1, LONGEST_FLUSH), action);
    const flash = this.flash = isDisk ? new Disk(arena, this.medium, cut, later)
      : new SimulatedFlash(arena, this.medium, cut);
    flash.onPowerLoss = () => this.kill();
    return flash;
  }

  private notice(event: number): void {
    if (event === Event.UPSTREAM_CONNECTED)
      this.options.onConnected();
    else if (event === Event.UPSTREAM_CLOSED)
      this.options.onClosed();
    else
      this.tally.notice(event);
  }
}

/** Flushes in the background. */
class Disk extends SimulatedFlash {
  private readonly later: (action: () => void) => void;

  constructor(arena: ConstructorParameters<typeof SimulatedFlash>[0], medium: FlashMedium, options: CutOptions,
    later: (action: () => void) => void) {
    super(arena, medium, options);
    this.later = later;
  }

  override flush(): boolean {
    const isDurable = super.flush();
    if (!isDurable)
      this.later(() => {
        if (!this.isDead)
          try {
            this.finishFlush();
          } catch { /* the power has failed, and all know */ }
      });
    return isDurable;
  }
}

/** Tells of events as they come, and keeps none. */
class SiteWorld extends World {
  private readonly notice: (event: number) => void;

  constructor(options: ConstructorParameters<typeof World>[0], notice: (event: number) => void) {
    super(options);
    this.notice = notice;
  }

  protected override onEvent(event: number): void {
    this.notice(event);
  }
}
