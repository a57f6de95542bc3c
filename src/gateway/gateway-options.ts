/** What a gateway needs from outside, apart from its configuration. */
import type { Configuration } from '../config/configuration.ts';
import type { ArenaPlan } from '../bytes/arena.ts';
import type { Packet } from '../packet/packet.ts';
import type { Clock } from '../session/clock.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import type { QueueLimits } from '../session/queue-limits.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { UpstreamWindow } from '../session/upstream-window.ts';
import type { GatewayObserver } from '../config/events.ts';
import type { AccessPlan } from '../nodes/access.ts';
import type { TopicMapPlan } from '../upstream/topic-map.ts';
import type { Machine, Traffic } from '../nodes/system-figures.ts';

/** The verdict comes later, by `Gateway.admit` or `Gateway.reject`. */
export const PENDING = -1;

/** Decides who a node is. */
export interface Authenticator {
  /** @returns SUCCESS, a reason code that has a CONNACK return code, or PENDING. May set `session.user`. */
  authenticate(session: ServerSession, packet: Packet): number;
}

/** Told when the connection to the Server begins and ends: the driver then waits and connects anew. */
export interface UpstreamDriver {
  /** @returns whether it is at another address than the last one */
  upstreamConnected(): boolean;
  upstreamClosed(reasonCode: number): void;
}

/** Where what a configuration says lies in the arena, and for which configuration there is room. */
export interface GatewayPlans {
  readonly layout: Configuration;
  readonly connectOffset: number;
  readonly announcementsOffset: number;
  readonly access: AccessPlan;
  readonly outbound: TopicMapPlan;
  readonly inbound: TopicMapPlan;
  readonly earlierOffset: number;
}

export interface GatewayOptions {
  /** Where the platform counts them. */
  readonly traffic?: Traffic | undefined;
  /** Where it can be asked. */
  readonly machine?: Machine | undefined;
  readonly authenticator: Authenticator;
  /** For which memory is laid out: with room for what is added while the gateway runs. Default: the configuration. */
  readonly layout?: Configuration | undefined;
  readonly observer: GatewayObserver;
  /** Bytes read from a socket at a time. */
  readonly landingCapacity: number;
  /** Regions that the edge has reserved for itself, or an empty plan. */
  readonly plan: ArenaPlan;
  /** Whether exact views are made by resizing the arena (the board) or otherwise (Node, where that is slow). */
  readonly resizable: boolean;
  /** Uniform in [0, 1): where packet identifiers begin when nothing tells which one was the last; default: at 1. */
  readonly firstIdentifier?: (() => number) | undefined;
  /**
   * Counters that keep the order of topics while stored messages are sent, a power of two up to 65,536; default:
   * those of a board, 256.
   */
  readonly orderCounters?: number | undefined;
  /** Makes the queue towards the Server; default: one that measures nothing. */
  readonly createQueue?: QueueMaker | undefined;
  /** Seconds since 1970, 0 as long as nobody knows; also the default. */
  readonly date?: (() => number) | undefined;
}

/** With the clock of the gateway. */
export type QueueMaker =
  (limits: QueueLimits, offset: number, window: UpstreamWindow, clock: Clock) => OutboundQueue;
