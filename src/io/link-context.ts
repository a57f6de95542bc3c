/** What all links of a gateway share: the arena and its exact views, the clock, who is told, and who is closing. */
import type { Arena } from '../bytes/arena.ts';
import type { Clock } from '../session/clock.ts';
import type { ExactViews } from './exact-view.ts';
import type { Scheduler } from './scheduler.ts';
import type { TCPConstructor } from './transport.ts';

/** A link, as far as the others know it. */
interface SharingLink {
  /** The next one that is CLOSING. */
  nextLink: SharingLink | undefined;
  abort(reasonCode: number): void;
  handleTimeout(): void;
}

/** Told when a link comes up and when it is free again. */
export interface LinkOwner {
  /** A connection of ours stands; the session is opened next. */
  onLinkEstablished(link: SharingLink): void;
  /** @param reasonCode why, when it was not the session that closed */
  onLinkClosed(link: SharingLink, reasonCode: number): void;
}

interface LinkSettings {
  readonly TCP: TCPConstructor;
  readonly owner: LinkOwner;
  /** Milliseconds for what was sent before `close`. */
  readonly closeTimeout: number;
}

export class LinkContext {
  readonly clock: Clock;
  readonly time: () => number;
  /**
   * The link whose event is being handled. If an exception leaves it, a defect of ours, that one connection is given
   * up.
   */
  active: SharingLink | undefined = undefined;
  /** The links that are CLOSING, linked by `nextLink`. */
  closing: SharingLink | undefined = undefined;
  readonly views: ExactViews;
  /** The buffer of `views` and its full length. */
  readonly buffer: ExactViews['buffer'];
  readonly length: number;
  readonly landingOffset: number;
  readonly stagingOffset: number;
  readonly arena: Arena;
  readonly scheduler: Scheduler;
  readonly TCP: TCPConstructor;
  /** Of connections of nodes. */
  nodeTCP: TCPConstructor;
  readonly owner: LinkOwner;
  readonly closeTimeout: number;

  constructor(arena: Arena, views: ExactViews, scheduler: Scheduler, { closeTimeout, owner, TCP }: LinkSettings) {
    this.clock = scheduler.clock;
    this.time = scheduler.time;
    this.views = views;
    this.buffer = views.buffer;
    this.length = views.length;
    this.landingOffset = arena.landingOffset;
    this.stagingOffset = arena.stagingOffset;
    this.arena = arena;
    this.scheduler = scheduler;
    this.TCP = this.nodeTCP = TCP;
    this.owner = owner;
    this.closeTimeout = closeTimeout;
  }

  /** Releases the links whose last bytes have gone out, or have waited too long for that. */
  finishClosing(): void {
    for (let link = this.closing, next = link; link !== undefined; link = next) {
      next = link.nextLink;
      link.handleTimeout();
    }
  }

  addClosing(link: SharingLink): void {
    link.nextLink = this.closing;
    this.closing = link;
  }

  removeClosing(link: SharingLink): void {
    let before = this.closing!;
    if (before === link)
      this.closing = link.nextLink;
    else {
      while (before.nextLink !== link)
        before = before.nextLink!;
      before.nextLink = link.nextLink;
    }
    link.nextLink = undefined;
  }
}
