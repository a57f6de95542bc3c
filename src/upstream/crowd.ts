/** What the bridge asks when messages come faster than the Server takes them; see back-pressure.ts. */
import type { Message } from '../packet/packet.ts';

/** Beside the verdicts of session-role.ts: it has been taken, and whoever has sent it may have to wait. */
export const CROWDED = 2;

export interface Crowd {
  /**
   * A message has been taken, and there may be little room.
   * @param isLogged whether it is in the log
   * @returns CROWDED when whoever has sent it is to be pressed, else TAKEN
   */
  weigh(message: Message, isLogged: boolean): number;
}
