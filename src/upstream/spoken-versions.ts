/**
 * Which Servers do not speak the version of the configuration: what is spoken with them instead, for an hour, then it
 * is tried again. A Server says so in CONNACK, in the form of any version, or it closes instead, three times in a row.
 */
import { fallBackOf } from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';

/** Milliseconds. */
const REMEMBERED = 3_600_000;
const CLOSES = 3;

export class SpokenVersions {
  /** Per address: closes without CONNACK in a row; CLOSES: it does not speak the version. */
  private readonly counts: number[] = [];
  private readonly refusedAt: number[] = [];

  /** @param index of the address @param version of the configuration @returns the one to be spoken */
  choose(index: number, version: number, now: number): number {
    if ((this.counts[index] ?? 0) < CLOSES)
      return version;
    if ((now - this.refusedAt[index]! >>> 0) < REMEMBERED)
      return fallBackOf(version);
    this.counts[index] = 0;
    return version;
  }

  /**
   * An attempt to connect has failed. @param version that was spoken @returns whether another one is to be tried now
   */
  note(index: number, version: number, reasonCode: number, now: number): boolean {
    if (fallBackOf(version) === version)
      return false;
    const count = reasonCode === ReasonCode.UNSUPPORTED_PROTOCOL_VERSION ? CLOSES
      : reasonCode === ReasonCode.CLOSED_BEFORE_CONNACK ? (this.counts[index] ?? 0) + 1 : 0;
    this.counts[index] = count;
    this.refusedAt[index] = now;
    return count >= CLOSES;
  }

  /** The addresses are others now. */
  forget(): void {
    this.counts.length = 0;
  }
}
