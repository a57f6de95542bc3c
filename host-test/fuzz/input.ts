/**
 * Makes hostile bytes: vectors, whole or damaged, and plain noise, in sequences as a peer would send them. Everything
 * follows from the generator that is passed in. Knows nothing of what the gateway does with them.
 */
import type { Random } from '../simulation/random.ts';
import { ALL_VECTORS } from '../vectors/all-vectors.ts';
import { bytesOf, type Sender } from '../vectors/vector.ts';
import { CORPUS } from './corpus.ts';

/** Vectors longer than this test limits that a short one tests as well, and cost time. */
const LONGEST_VECTOR = 600;
const LONGEST_NOISE = 64;
const MOST_PACKETS = 8;
/** Now and then: what fills queues and tables. */
const MANY_PACKETS = 60;

type Seeds = Readonly<Record<Sender, readonly Uint8Array[]>>;

type Seed = { readonly sender: Sender; readonly hex: string };
const bytesOfSeeds = (sender: Sender, seeds: readonly Seed[]): Uint8Array[] => seeds
  .filter(seed => seed.sender === sender)
  .map(({ hex }) => bytesOf(hex))
  .filter(({ length }) => length <= LONGEST_VECTOR);
const seedsOf = (seeds: readonly Seed[]): Seeds =>
  ({ client: bytesOfSeeds('client', seeds), server: bytesOfSeeds('server', seeds) });

const SEEDS = seedsOf([...ALL_VECTORS, ...CORPUS]);

/** Legal within a connection: SUBSCRIBE, UNSUBSCRIBE, PINGREQ of a Client; a Server sends only PUBLISH unasked. */
const LEGAL_REQUESTS = seedsOf(ALL_VECTORS.filter(vector => 'expected' in vector && /^[8ac]/.test(vector.hex)));

/** What opens the door, so that what follows is not refused for want of it. */
const GREETINGS: Readonly<Record<Sender, readonly Uint8Array[]>> = {
  client: [
    bytesOf('10 0f 0004 4d515454 04 02 003c 0003 66757a'),
    bytesOf('10 0f 0004 4d515454 04 00 003c 0003 66757a'),
    bytesOf('10 11 0006 4d5149736470 03 02 003c 0003 66757a'),
    bytesOf('10 13 0004 4d515454 04 02 003c 0007 7769746e657373'), // says that it is the witness of attacked-world.ts
    bytesOf('10 12 0004 4d515454 04 82 003c 0003 66757a 0001 6d'), // with a user name
    bytesOf('10 1b 0004 4d515454 04 2e 003c 0003 66757a 0004 77696c6c 0004 676f6e65'),
  ],
  server: [bytesOf('20 02 00 00'), bytesOf('20 02 00 00 90 03 00 01 01'), bytesOf('20 02 00 00 90 03 00 01 80')],
};

const pick = <T>(random: Random, from: readonly T[]): T => from[random.integer(0, from.length - 1)]!;

export function makeInput(random: Random, sender: Sender): Uint8Array {
  const parts: Uint8Array[] = random.integer(0, 9) < 8 ? [pick(random, GREETINGS[sender])] : [];
  const make = random.integer(0, 3) === 0 ? makeLegalPart : makePart;
  for (let count = random.integer(1, random.integer(0, 9) === 0 ? MANY_PACKETS : MOST_PACKETS); count > 0; --count)
    parts.push(make(random, sender));
  const bytes = concatenate(parts);
  return random.integer(0, 3) === 0 ? mutate(random, bytes) : bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function makePart(random: Random, sender: Sender): Uint8Array {
  switch (random.integer(0, 9)) {
    case 0:
      return noise(random);
    case 1: // the other role's packets
      return pick(random, SEEDS[sender === 'client' ? 'server' : 'client']);
    case 2:
    case 3:
      return mutate(random, pick(random, SEEDS[sender]));
    case 4:
      return acknowledgement(random);
    case 5:
    case 6:
      return publish(random);
    default:
      return pick(random, SEEDS[sender]);
  }
}

/** Nothing here ends a connection by itself: what comes late is reached too. */
function makeLegalPart(random: Random, sender: Sender): Uint8Array {
  const requests = LEGAL_REQUESTS[sender];
  switch (random.integer(0, 3)) {
    case 0:
      return acknowledgement(random);
    case 1:
      return requests.length === 0 ? publish(random) : pick(random, requests);
    case 2:
      return random.integer(0, 20) > 0 ? publish(random)
        : concatenate(new Array<Uint8Array>(400).fill(acknowledgement(random)));
    default:
      return publish(random);
  }
}

const noise = (random: Random): Uint8Array =>
  Uint8Array.from({ length: random.integer(1, LONGEST_NOISE) }, () => random.integer(0, 255));

/** PUBACK, PUBREC, PUBREL or PUBCOMP of an identifier that may well be in use. */
function acknowledgement(random: Random): Uint8Array {
  const type = random.integer(4, 7);
  return Uint8Array.of(type << 4 | (type === 6 ? 2 : 0), 2, 0, random.integer(0, 8));
}

/** A PUBLISH that is right, of any QoS and length, on few topics: what fills queues and tables. */
function publish(random: Random): Uint8Array {
  const qos = random.integer(0, 2);
  const topic = `f/${'abcdefgh'.slice(0, random.integer(0, 8))}${random.integer(0, 30)}`;
  const payload = random.integer(0, 19) === 0 ? random.integer(100, 900) : random.integer(0, 40);
  const length = 2 + topic.length + (qos > 0 ? 2 : 0) + payload;
  return Uint8Array.from([
    0x30 | (qos > 0 && random.integer(0, 3) === 0 ? 8 : 0) | qos << 1 | (random.integer(0, 3) === 0 ? 1 : 0),
    ...length < 128 ? [length] : [length & 127 | 128, length >> 7],
    0, topic.length, ...new TextEncoder().encode(topic),
    ...qos > 0 ? [0, random.integer(1, 30)] : [],
    ...new Uint8Array(payload).fill(0x70),
  ]);
}

/** One to three small damages. */
function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  let damaged = [...bytes];
  for (let count = random.integer(1, 3); count > 0 && damaged.length > 0; --count) {
    const at = random.integer(0, damaged.length - 1);
    switch (random.integer(0, 6)) {
      case 0:
        damaged[at]! ^= 1 << random.integer(0, 7);
        break;
      case 1:
        damaged[at] = pick(random, [0, 1, 0x7F, 0x80, 0xFF, random.integer(0, 255)]);
        break;
      case 2:
        damaged.splice(at, random.integer(1, 4));
        break;
      case 3:
        damaged.splice(at, 0, ...noise(random).subarray(0, 4));
        break;
      case 4:
        damaged = damaged.slice(0, at);
        break;
      case 5:
        damaged.splice(at, 0, ...damaged.slice(at, at + random.integer(1, 16)));
        break;
      default: // the Remaining Length of the first packet
        damaged[Math.min(1, damaged.length - 1)] = random.integer(0, 255);
    }
  }
  return Uint8Array.from(damaged);
}
