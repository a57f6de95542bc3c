import { TAKEN } from '../../src/session/session-role.ts';
import { describe, expect, test } from 'vitest';
import { Random } from '../simulation/random.ts';
import { bytesOf } from '../vectors/vector.ts';
import { CORPUS } from './corpus.ts';
import { checkParser, describeFailure, fuzz } from './fuzz.ts';
import { type Attack, AttackedWorld, checkRole } from './attacked-world.ts';

const SEED = 20_240_311;
/** An attack of which nothing should come. */
const HARMLESS: Attack = {
  sender: 'client', bytes: bytesOf('c0 00'), fragmentLength: 0, isDeaf: false, ending: 'close',
};
const SECONDS = 3;
/** On a slow computer this many attacks are still worth the name; a fast one makes thousands. */
const FEWEST_ATTACKS = 100;

describe('fuzzing', () => {
  test('any bytes give packets or one Reason Code, never a throw, never growth, and nobody else notices', () => {
    const end = performance.now() + SECONDS * 1000;
    const { endings, failure } = fuzz(SEED, attackCount => attackCount < FEWEST_ATTACKS || performance.now() < end);
    expect(failure === undefined ? 'nothing failed' : describeFailure(failure)).toBe('nothing failed');
    // What was fed was not all alike.
    const common = ['protocol error', 'malformed packet', 'packet too large', 'network connection lost'];
    expect([...endings.keys()]).toEqual(expect.arrayContaining(common));
  }, 60_000);

  test('is repeated exactly by its seed', () => {
    const goesOn = (attackCount: number): boolean => attackCount < 30;
    expect(fuzz(7, goesOn)).toEqual(fuzz(7, goesOn));
    expect(fuzz(7, goesOn).endings).not.toEqual(fuzz(8, goesOn).endings);
  });

  test.each(CORPUS)('no longer: $name', ({ hex, sender }) => {
    const bytes = bytesOf(hex);
    for (const seed of [1, 2, 3, 4])
      checkParser(bytes, sender, new Random(seed));
    for (const fragmentLength of [0, 1, 7])
      for (const isResizable of [false, true])
        new AttackedWorld(1, isResizable).attack({ sender, bytes, fragmentLength, isDeaf: false, ending: 'wait' });
  });

  test('notices a gateway that miscounts', () => {
    const world = new AttackedWorld(1, false);
    ++world.gateway.admission.connectedCount;
    expect(() => world.attack(HARMLESS)).toThrow('connected nodes');
  });

  test('notices a gateway that no longer forwards', () => {
    const world = new AttackedWorld(1, false);
    world.gateway.bridge.forward = () => TAKEN;
    expect(() => world.attack(HARMLESS)).toThrow('exchange of the witness');
  });

  test('notices a gateway that says what its role must not say', () => {
    expect(() => checkRole('server', ['PINGRESP', 'PINGREQ'])).toThrow('must not send: PINGREQ');
    expect(() => checkRole('client', ['PUBREL flags 0 #1'])).toThrow('must not send');
    checkRole('server', ['PUBLISH a=x q0', 'PUBACK #1', 'SUBACK #1 0']);
  });
});
