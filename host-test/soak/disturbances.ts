/** What happens to a gateway, by kinds; each epoch has some of them. When it ends everything is put in order again. */
import type { Campaign } from './campaign.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * `commands`, messages from the broker; `away`, the broker is away for a while; `long`, so long that the store fills;
 * `forget`, it has then forgotten the session; `links`, connections end; `nodes`, nodes go and come; `stop` and `kill`,
 * the gateway is stopped or loses its power; `edit`, its rules are edited meanwhile; `calendar`, the calendar jumps or
 * is not known.
 */
export type Kind = 'commands' | 'away' | 'long' | 'forget' | 'links' | 'nodes' | 'stop' | 'kill' | 'edit' | 'calendar';

const KINDS: readonly Kind[] =
  ['commands', 'away', 'long', 'forget', 'links', 'nodes', 'stop', 'kill', 'edit', 'calendar'];
/** Steps of the flash within which the power fails. */
const LONGEST_CUT = 6000;

export class Disturbances {
  private readonly campaign: Campaign;
  private kinds: ReadonlySet<Kind> = new Set();
  /** What was scheduled for an epoch that is over does not happen. */
  private epoch = 0;
  private isRunning = false;
  private isBrokerAway = false;

  constructor(campaign: Campaign) {
    this.campaign = campaign;
  }

  /** Kinds of one epoch after the other, without end. The first one is of commands only. */
  * plan(): Generator<ReadonlySet<Kind>> {
    const { chance } = this.campaign;
    for (let epoch = 0; ; ++epoch) {
      const share = chance.pick([0.2, 0.4, 0.7, 1]);
      yield new Set(epoch === 0 ? ['commands' as const] : KINDS.filter(() => chance.happens(share)));
    }
  }

  has(kind: Kind): boolean {
    return this.kinds.has(kind);
  }

  begin(kinds: ReadonlySet<Kind>): void {
    const { campaign } = this;
    const { chance, site } = campaign;
    this.kinds = kinds;
    this.isRunning = true;
    ++this.epoch;
    if (kinds.has('away') || kinds.has('long') || kinds.has('forget'))
      this.schedule(() => chance.around(40 * MINUTE), () => this.takeBrokerAway());
    if (kinds.has('links')) {
      this.schedule(() => chance.around(15 * MINUTE), () => site.cutLink(true));
      this.schedule(() => chance.around(15 * MINUTE), () => site.cutLink(false));
    }
    if (kinds.has('nodes'))
      this.schedule(() => chance.around(30 * MINUTE), () => this.takeNodeAway());
    if (kinds.has('stop'))
      this.schedule(() => chance.around(50 * MINUTE), () => {
        if (site.isOn)
          site.stop(() => this.startLater());
      });
    if (kinds.has('kill'))
      this.schedule(() => chance.around(60 * MINUTE), () => site.kill());
    if (kinds.has('calendar'))
      this.schedule(() => chance.around(40 * MINUTE), () => {
        if (chance.happens(0.5))
          site.calendar.step(site.now, chance.pick([-1, 1]) * chance.spread(SECOND, 72 * HOUR));
        if (site.isOn)
          site.calendar.learn(site.now);
      });
  }

  /** Peace from now on. */
  end(): void {
    const { campaign } = this;
    ++this.epoch;
    this.isRunning = false;
    this.bringBrokerBack();
    campaign.nodes.forEach(node => node.come());
    if (!campaign.site.isOn)
      campaign.startGateway(true);
    else
      campaign.site.calendar.learn(campaign.now);
  }

  /** Again and again, as long as this epoch lasts. */
  schedule(interval: () => number, action: () => void): void {
    const { clock } = this.campaign.site.world;
    const { epoch } = this;
    clock.schedule(interval(), () => {
      if (epoch !== this.epoch)
        return;
      action();
      this.schedule(interval, action);
    });
  }

  /** The gateway is off. */
  lifeEnded(isKilled: boolean): void {
    if (isKilled)
      this.startLater();
  }

  startLater(): void {
    const { campaign, epoch } = this;
    const { chance, site } = campaign;
    const wait = !this.isRunning ? SECOND
      : chance.happens(0.8) ? chance.spread(SECOND, 2 * MINUTE) : chance.spread(MINUTE, 3 * HOUR);
    site.world.clock.schedule(wait, () => {
      if (site.isOn)
        return;
      if (epoch !== this.epoch || !this.isRunning) {
        campaign.startGateway(true);
        return;
      }
      const isKnown = !this.has('calendar') || chance.happens(0.5);
      campaign.startGateway(isKnown, this.has('edit') && chance.happens(0.7),
        this.has('kill') ? chance.spread(1, LONGEST_CUT) : Infinity);
    });
  }

  private takeBrokerAway(): void {
    const { broker, chance, site } = this.campaign;
    if (this.isBrokerAway)
      return;
    const { epoch } = this;
    this.isBrokerAway = true;
    site.world.stopListening();
    if (this.has('forget') && chance.happens(0.6))
      broker.forget();
    else
      broker.hangUp();
    const isLong = this.has('long') && chance.happens(0.4);
    site.world.clock.schedule(isLong ? chance.spread(HOUR, 6 * HOUR) : chance.spread(SECOND, 5 * MINUTE), () => {
      if (epoch === this.epoch)
        this.bringBrokerBack();
    });
  }

  private bringBrokerBack(): void {
    if (this.isBrokerAway)
      this.campaign.site.world.listen();
    this.isBrokerAway = false;
  }

  private takeNodeAway(): void {
    const { chance, nodes, site } = this.campaign;
    const node = chance.pick(nodes);
    node.go(chance.happens(0.5));
    const { epoch } = this;
    site.world.clock.schedule(chance.spread(SECOND, 3 * HOUR), () => {
      if (epoch === this.epoch)
        node.come();
    });
  }
}
