/**
 * Nodes with messages that were promised and that nothing has room for (bridge.ts). 3.x knows no negative
 * acknowledgement, so such a node gets none at all, for that message and all behind it, whose order that keeps
 * [MQTT311-4.6.0-2]: it holds them, and when as many are under way as it allows itself, it waits. Only a new
 * connection makes it send them again (3.1.1 section 4.4). So its connection is ended, as soon as there is room.
 * Until then everything else goes on.
 */
import { QUOTA_EXCEEDED } from '../packet/reason-code.ts';
import { type Clock, isDue } from '../session/clock.ts';
import type { ServerSession } from '../session/server-session.ts';
import { REFUSED } from '../session/session-role.ts';
import type { Bridge } from './bridge.ts';
import * as Event from '../config/events.ts';

/** How often it is looked whether there is room, in milliseconds. */
const INTERVAL = 1000;

export class Refusals {
  private isPending = false;
  private dueAt = 0;
  private readonly bridge: Bridge;
  private readonly clock: Clock;
  private readonly sessions: readonly ServerSession[];
  private readonly observer: Event.GatewayObserver;

  constructor(bridge: Bridge, clock: Clock, sessions: readonly ServerSession[], observer: Event.GatewayObserver) {
    this.bridge = bridge;
    this.clock = clock;
    this.sessions = sessions;
    this.observer = observer;
  }

  /** A message of this session has not been taken over. @returns REFUSED */
  add(session: ServerSession): number {
    session.isRefused = true;
    this.observer.onEvent(Event.MESSAGE_REFUSED, session.index, 0);
    if (!this.isPending)
      this.dueAt = this.clock.now + INTERVAL | 0;
    this.isPending = true;
    this.clock.request(this.dueAt);
    return REFUSED;
  }

  handleTimeout(): void {
    const { clock, sessions } = this;
    if (!this.isPending)
      return;
    if (isDue(this.dueAt, clock.now)) {
      if (this.bridge.hasRoom) {
        this.isPending = false;
        for (let index = 0; index < sessions.length; ++index)
          if (sessions[index]!.isRefused)
            sessions[index]!.fail(QUOTA_EXCEEDED);
        return;
      }
      this.dueAt = clock.now + INTERVAL | 0;
    }
    clock.request(this.dueAt);
  }
}
