/** Arbitrary bytes, in arbitrary parts: an answer or none, never a throw, and every place is free afterwards. */
import { describe, expect, it } from 'vitest';
import { Random } from '../simulation/random.ts';
import { request, WebWorld } from './web-world.ts';

const SEEDS = [1, 2, 3, 4];
const COUNT = 300;

const BASES = [
  request('GET /', 'Cookie: k', 'If-None-Match: "abc", W/"def"', 'Accept-Encoding: gzip;q=0.5, *;q=0'),
  `${request('PUT /echo', 'Content-Length: 5', 'Origin: http://10.0.0.1')}hello`,
  `${request('POST /private-echo', 'Content-Length: 12', 'Cookie: late', 'Expect: 100-continue')}hello, world`,
  request('GET /events'), request('HEAD /large'), request('GET /later'),
];

/** Bytes that mean something. */
const MARKS = '\r\n \t:/?#,;"*\0\xFF0123456789';

function mutate(random: Random, text: string): string {
  for (let count = random.integer(0, 6); count > 0; --count) {
    const at = random.integer(0, text.length);
    const mark = MARKS[random.integer(0, MARKS.length - 1)]!;
    switch (random.integer(0, 4)) {
      case 0: text = text.slice(0, at) + mark + text.slice(at + 1); break;
      case 1: text = text.slice(0, at) + mark + text.slice(at); break;
      case 2: text = text.slice(0, at) + text.slice(at + random.integer(1, 10)); break;
      case 3: text = text.slice(0, at) + text.slice(random.integer(0, text.length)); break;
      default: text = text.slice(0, at) + mark.repeat(random.integer(1, 3000)) + text.slice(at);
    }
  }
  return text;
}

describe('arbitrary bytes', () => {
  it.each(SEEDS)('seed %i', seed => {
    const random = new Random(seed);
    const world = new WebWorld({ connections: 6, resizable: seed % 2 === 0 });
    const seen = new Set<number>();
    for (let count = 0; count < COUNT; ++count) {
      const text = mutate(random, BASES[random.integer(0, BASES.length - 1)]!);
      const client = world.connect();
      for (let at = 0; at < text.length;) {
        const length = random.integer(1, text.length);
        client.send(text.slice(at, at + length));
        at += length;
        world.network.run(random.integer(0, 30));
      }
      if (random.integer(0, 3) === 0)
        client.close();
      world.network.run(random.integer(0, 200));
      if (client.received !== '') {
        expect(client.received, JSON.stringify(text)).toMatch(/^HTTP\/1\.1 \d{3} [A-Z]/);
        seen.add(client.status);
      }
      for (const exchange of world.listening)
        exchange.sendEvent([Uint8Array.of(0x3A, 0x0A, 0x0A)]);
    }
    for (const exchange of [...world.listening])
      exchange.close();
    world.network.run(200_000);
    expect(world.usedCount).toBe(0);
    expect([200, 400].every(status => seen.has(status))).toBe(true);
  });
});
