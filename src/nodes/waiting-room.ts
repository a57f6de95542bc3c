/** Who lets messages wait until a node has room for them; see upstream/held-messages.ts. */
import type { Message } from '../packet/packet.ts';
import type { NodeState } from './node-state.ts';

export interface WaitingRoom {
  /** A node that is connected has no room for the message at hand. @returns whether that can wait */
  owe(node: NodeState, message: Message, qos: number): boolean;
  /** Nobody can be made to wait for the message at hand. */
  giveUp(): void;
}
