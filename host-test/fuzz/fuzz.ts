/**
 * Seeded fuzzing of both roles. One invariant: any bytes give packets or one Reason Code, never a throw, never growth,
 * however they are cut; and nobody else notices (attacked-world.ts).
 *
 * Each input goes first through two parsers, whole and cut, whose logs must be equal and which must not write outside
 * their memory; then through a whole gateway. Worlds are short-lived and each has a seed of its own, so that a failure
 * is repeated by that seed in no time.
 */
import { Random } from '../simulation/random.ts';
import { hexOfBytes } from '../simulation/hex.ts';
import { VectorMachine } from '../vectors/run-vector.ts';
import type { Sender } from '../vectors/vector.ts';
import { makeInput } from './input.ts';
import { type Attack, AttackedWorld } from './attacked-world.ts';

/** Attacks that one gateway lives through. */
const ATTACKS_PER_WORLD = 50;

export interface Failure {
  readonly seed: number;
  /** 1 is the first attack in the world of that seed. */
  readonly attackNumber: number;
  readonly attack: Attack;
  readonly error: Error;
}

export interface Outcome {
  readonly attackCount: number;
  readonly byteCount: number;
  /** How sessions ended, by reason. */
  readonly endings: ReadonlyMap<string, number>;
  readonly failure: Failure | undefined;
}

/** Fuzzes with the worlds `seed`, `seed` + 1, ... while `goesOn`, up to the first failure. */
export function fuzz(seed: number, goesOn: (attackCount: number) => boolean): Outcome {
  let attackCount = 0;
  let byteCount = 0;
  const endings = new Map<string, number>();
  for (;; ++seed) {
    const random = new Random(seed);
    const world = new AttackedWorld(seed, random.integer(0, 1) === 1, endings);
    for (let attackNumber = 1; attackNumber <= ATTACKS_PER_WORLD; ++attackNumber) {
      if (!goesOn(attackCount))
        return { attackCount, byteCount, endings, failure: undefined };
      const attack = makeAttack(random);
      ++attackCount;
      byteCount += attack.bytes.length;
      try {
        checkParser(attack.bytes, attack.sender, random);
        world.attack(attack);
      } catch (error) {
        return { attackCount, byteCount, endings, failure: { seed, attackNumber, attack, error: error as Error } };
      }
    }
  }
}

export function describeFailure({ attack, attackNumber, error, seed }: Failure): string {
  const { bytes, ending, fragmentLength, isDeaf, sender } = attack;
  return [
    `failed at attack ${attackNumber} of seed ${seed}: ${error.stack}`,
    `sender ${sender}, fragments of up to ${fragmentLength === 0 ? 'any number of' : fragmentLength} bytes, `
      + `then ${ending}${isDeaf ? ', never reading' : ''}`,
    hexOfBytes(bytes),
    `to repeat it: npm run fuzz -- --seed ${seed}`,
  ].join('\n');
}

function makeAttack(random: Random): Attack {
  const sender: Sender = random.integer(0, 2) === 0 ? 'server' : 'client';
  return {
    sender,
    bytes: makeInput(random, sender),
    fragmentLength: [0, 0, 1, 3, 40][random.integer(0, 4)]!,
    isDeaf: random.integer(0, 7) === 0,
    ending: (['close', 'close', 'close', 'reset', 'wait'] as const)[random.integer(0, 4)]!,
  };
}

/** Whatever the cuts, the same packets and the same error, and not a byte outside the parser's memory. */
export function checkParser(bytes: Uint8Array, sender: Sender, random: Random): void {
  const options = { maximumPacketSize: random.integer(8, 300), oversize: random.integer(0, 1) };
  const version = random.integer(3, 4);
  const whole = new VectorMachine(options);
  const cut = new VectorMachine({ ...options, landingCapacity: random.integer(1, 300) });
  const expected = [...whole.run(bytes, sender, version)];
  const cuts = makeCuts(random, bytes.length);
  const found = cut.run(bytes, sender, version, { cuts, pauseEvery: random.integer(0, 3) });
  if (expected.join('\n') !== found.join('\n'))
    throw new Error(`the events depend on the cuts:\n  ${expected.join('\n  ')}\nbut cut\n  ${found.join('\n  ')}`);
  if (!whole.guardsAreIntact || !cut.guardsAreIntact)
    throw new Error('the parser wrote outside its memory');
}

function makeCuts(random: Random, length: number): number[] {
  const cuts: number[] = [];
  const longest = [1, 3, 40][random.integer(0, 2)]!;
  for (let at = random.integer(1, longest); at < length; at += random.integer(1, longest))
    cuts.push(at);
  return cuts;
}
