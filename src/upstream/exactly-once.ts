/**
 * The QoS 2 message at hand, if its sender may send it again: where it is stored already and where not yet. A power cut
 * can come between its records, of which there is one for each who gets it; when it comes again only what is missing is
 * stored.
 */
import type { Arena } from '../bytes/arena.ts';
import { DUP } from '../packet/control-packet.ts';
import type { Packet } from '../packet/packet.ts';
import type { MessageAtHand } from '../nodes/stored-messages.ts';
import { NONE, type StoredOrigins } from './stored-origins.ts';
import { hashOfContent } from './topic-hash.ts';

/** In place of a node: the Server gets it. */
export const UPSTREAM_DESTINATION = 0;

export class ExactlyOnce implements MessageAtHand {
  sender = 0;
  identifier = 0;
  /** It has come again, and was stored for some of those who get it. */
  private isRepeated = false;
  private content = 0;
  private storedCount = 0;
  private readonly arena: Arena;
  private readonly origins: StoredOrigins;

  constructor(arena: Arena, origins: StoredOrigins) {
    this.arena = arena;
    this.origins = origins;
  }

  /** A message of QoS 2. @returns false when all is stored that is to be */
  begin(sender: number, packet: Packet): boolean {
    const { origins } = this;
    this.content = hashOfContent(this.arena, packet);
    this.isRepeated = false;
    if ((packet.flags & DUP) !== 0) {
      const index = origins.find(sender, packet.packetIdentifier);
      this.isRepeated = index !== NONE && origins.contentOf(index) === this.content;
      if (this.isRepeated && origins.isComplete(sender, packet.packetIdentifier))
        return false;
    }
    if (!this.isRepeated)
      origins.release(sender, packet.packetIdentifier); // it means a new message from now on
    this.sender = sender;
    this.identifier = packet.packetIdentifier;
    this.storedCount = 0;
    return true;
  }

  /**
   * It has been routed. @param isKept whether its sender's session is: if the message is stored nowhere, its identifier
   * is
   */
  end(isKept: boolean): void {
    if (isKept && this.storedCount === 0 && !this.isRepeated)
      this.origins.keep(this.sender, this.identifier, this.content);
    this.sender = this.identifier = 0;
    this.isRepeated = false;
  }

  isStoredFor(destination: number): boolean {
    return this.isRepeated && this.origins.isStoredFor(this.sender, this.identifier, destination);
  }

  stored(destination: number, position: number): void {
    if (this.sender === 0)
      return;
    ++this.storedCount;
    this.origins.add(this.sender, this.identifier, position, this.content, destination);
  }
}
