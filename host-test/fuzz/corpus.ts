/**
 * Inputs that once failed, and what was wrong then. The fuzzer starts from them as from the vectors, and each one is
 * run by itself in npm test.
 */
import type { Sender } from '../vectors/vector.ts';

export interface FailingInput {
  /** One sentence: what went wrong. */
  readonly name: string;
  /** Who sent it to the gateway: a node, or the Server upstream. */
  readonly sender: Sender;
  readonly hex: string;
}

export const CORPUS: readonly FailingInput[] = [];
