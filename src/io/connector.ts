/** What a platform adds to the connections to the Server: a password that is read anew, TLS. */
import type { UpstreamAddress } from '../config/upstream-address.ts';
import { SUCCESS } from '../packet/reason-code.ts';
import type { TCPConstructor } from './transport.ts';

export interface Connector {
  /** What the next connection is made of; undefined: the platform's TCP. */
  readonly TCP: TCPConstructor | undefined;
  /** Before each connection: CONNECT says what it should afterwards. @returns what stands in its way, or SUCCESS */
  prepare(address: UpstreamAddress): number;
  /** @returns in words why `reasonCode` has ended the last attempt; empty: nothing more than the code says */
  problemOf(reasonCode: number): string;
}

/** Where there is nothing to add. */
export const PLAIN_CONNECTOR: Connector = Object.freeze({
  TCP: undefined,
  prepare: () => SUCCESS,
  problemOf: () => '',
});
