/**
 * Keeps messages back on a connection that is not known to continue a session, until the Server has answered what was
 * subscribed: so commands, and what the Server has to say about errors, arrive even if the next message costs the
 * connection. Stands between the session and its output for that time, so that it costs a message nothing afterwards.
 */
import type { Arena } from '../bytes/arena.ts';
import { PUBLISH } from '../packet/control-packet.ts';
import type { Output } from './connection.ts';

export class SubscribeGate implements Output {
  /** For messages. */
  readonly room = 0;
  /** What it stands in front of. */
  output!: Output;
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  send(length: number): boolean {
    const { bytes, stagingOffset } = this.arena;
    return bytes[stagingOffset]! >> 4 !== PUBLISH && this.output.send(length);
  }

  close(): void {
    this.output.close();
  }

  stalledFor(now: number): number {
    return this.output.stalledFor(now);
  }

  resume(): void {
    this.output.resume();
  }

  readAhead(): void {
    this.output.readAhead();
  }
}
