/** Clients that say too little, take too little, or come in numbers: what each keeps, and for how long. */
import { describe, expect, it } from 'vitest';
import { ANSWER_TIMEOUT, BODY_TIMEOUT, DRAIN_TIMEOUT, HEAD_TIMEOUT, SEND_TIMEOUT, STALL_TIMEOUT } from '../../src/web/http-limits.ts';
import { latin, request, WebWorld } from './web-world.ts';

const event = [latin('data: 1\n\n')];

describe('the patience of the HTTP server', () => {
  it('gives a head its time, however slowly it comes (slow-loris), then says so', () => {
    const world = new WebWorld();
    const client = world.connect();
    client.send('GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n');
    for (let passed = 0; passed < HEAD_TIMEOUT + DRAIN_TIMEOUT; passed += 500) {
      if (!client.isOver)
        client.send('X-A: b\r\n');
      world.network.run(500);
    }
    world.network.run(100);
    expect(client.status).toBe(408);
    expect(client.isOver).toBe(true);
    expect(world.usedCount).toBe(0);
  });

  it('closes without a word what never said one', () => {
    const world = new WebWorld();
    const client = world.connect();
    world.network.run(HEAD_TIMEOUT + 100);
    expect(client.received).toBe('');
    expect(client.isOver).toBe(true);
  });

  it('gives a body its time', () => {
    const world = new WebWorld();
    const client = world.connect();
    client.send(request('PUT /echo', 'Content-Length: 100'));
    for (let passed = 0; passed < BODY_TIMEOUT + DRAIN_TIMEOUT + 1000; passed += 1000) {
      if (!client.isOver)
        client.send('b');
      world.network.run(1000);
    }
    world.network.run(100);
    expect(client.status).toBe(408);
    expect(world.usedCount).toBe(0);
  });

  it('answers for a resource that never does', () => {
    const world = new WebWorld();
    const client = world.ask(request('GET /later'));
    world.network.run(ANSWER_TIMEOUT);
    expect(client.status).toBe(503);
    world.later!.answer(200, undefined as never); // too late: nobody listens
    expect(world.usedCount).toBe(0);
  });

  it('waits for nobody who takes nothing of an answer', () => {
    const world = new WebWorld();
    const client = world.connect();
    client.appetite = 0;
    client.send(request('GET /large'));
    world.network.run(STALL_TIMEOUT - 1000);
    expect(world.usedCount).toBe(1);
    world.network.run(2000);
    expect(world.usedCount).toBe(0);
  });

  it('gives a whole answer an end for whoever takes a little at a time (slow read)', () => {
    const world = new WebWorld();
    const client = world.connect();
    client.appetite = 10;
    client.send(request('GET /large'));
    world.network.run(SEND_TIMEOUT + STALL_TIMEOUT + 1000);
    expect(world.usedCount).toBe(0);
  });

  it('sends a large answer whole to whoever takes it', () => {
    expect(new WebWorld().ask(request('GET /large')).body.length).toBe(40_000);
  });

  it('lets a client that floods it after its request read the answer', () => {
    const world = new WebWorld();
    const client = world.ask(`${request('POST /nothing', 'Content-Length: 30000')}${'b'.repeat(30_000)}`);
    world.network.run(100);
    expect(client.status).toBe(404);
  });

  it('gives the place of the silent to whoever speaks, however many there are', () => {
    const world = new WebWorld();
    const silent = Array.from({ length: 20 }, () => {
      const client = world.connect();
      world.network.run(100);
      return client;
    });
    world.network.run(300);
    expect(world.ask(request('GET /')).status).toBe(200);
    expect(silent.filter(({ isOver }) => !isOver).length).toBeLessThanOrEqual(4);
    expect(world.server.turnedAwayCount).toBeGreaterThan(0);
  });

  it('turns away whom there is no place for, and nobody else', () => {
    const world = new WebWorld();
    const first = Array.from({ length: 4 }, () => world.connect());
    world.network.run(50);
    const late = world.connect();
    world.network.run(50);
    expect(late.isOver).toBe(true);
    for (const client of first)
      client.send(request('GET /'));
    world.network.run(100);
    expect(first.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('keeps places for others beside events', () => {
    const world = new WebWorld();
    const listening = [1, 2, 3].map(() => world.ask(request('GET /events')));
    expect(listening.map(({ status }) => status)).toEqual([200, 200, 503]);
    expect(listening[2]!.header('Retry-After')).toBe('60');
    expect(world.ask(request('GET /')).status).toBe(200);
    const silent = [1, 2, 3].map(() => world.connect());
    world.network.run(1000);
    expect(world.ask(request('GET /')).status).toBe(200);
    expect(listening.slice(0, 2).every(({ isOver }) => !isOver)).toBe(true);
    expect(silent.some(({ isOver }) => isOver)).toBe(true);
  });

  it('sends events as they come, for as long as somebody listens', () => {
    const world = new WebWorld();
    const client = world.ask(request('GET /events'));
    for (let count = 0; count < 200; ++count) {
      for (const exchange of world.listening)
        expect(exchange.sendEvent(event)).toBe(true);
      world.network.run(1000);
    }
    expect(client.body).toBe(`retry: 3000\n\n${'data: 1\n\n'.repeat(200)}`);
    client.close();
    world.network.run(1000);
    expect(world.listening.size).toBe(0);
    expect(world.usedCount).toBe(0);
  });

  it('leaves events out for whoever does not take them, and lets go of whoever takes none any more', () => {
    const world = new WebWorld();
    const client = world.ask(request('GET /events'));
    client.appetite = 0;
    const long = [latin('d'.repeat(4000))];
    const taken: boolean[] = [];
    for (let count = 0; count < 10; ++count) {
      for (const exchange of world.listening)
        taken.push(exchange.sendEvent(long));
      world.network.run(1000);
    }
    expect(taken).toContain(false);
    world.network.run(STALL_TIMEOUT);
    expect(world.listening.size).toBe(0);
  });

  it('forgets clients that are gone in every phase', () => {
    const world = new WebWorld();
    for (const text of ['', 'GET /', request('PUT /echo', 'Content-Length: 9'), request('GET /later'), request('GET /events'),
      request('GET /private', 'Cookie: late')]) {
      const client = world.connect();
      client.send(text);
      world.network.run(100);
      client.close();
      world.network.run(100);
    }
    world.network.run(HEAD_TIMEOUT + BODY_TIMEOUT);
    expect(world.usedCount).toBe(0);
    expect(world.listening.size).toBe(0);
  });

  it('ends with its connections when it is closed', () => {
    const world = new WebWorld();
    const clients = [world.ask(request('GET /events')), world.ask('GET /')];
    world.server.close();
    world.network.run();
    expect(clients.every(({ isOver }) => isOver)).toBe(true);
  });
});
