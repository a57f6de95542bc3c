/** What goes wrong between a gateway, its nodes and its broker: passwords, restarts, absent brokers, taken ports. */
import { beforeAll, expect, vi } from 'vitest';
import { Broker, exchange, freePort, Gateway, interop, MOSQUITTO, publish, requirePrograms, Subscriber,
  VERSIONS } from './cast.ts';
import { PATIENCE } from './program.ts';

beforeAll(() => requirePrograms(MOSQUITTO));

for (const version of VERSIONS)
  interop(`a password that the broker does not take: says so in one line, tries again, works once it is taken (${version})`, async scene => {
    const broker = await Broker.start(scene, [], { gw: 'other', tester: 'tester' });
    const gateway = await Gateway.start(scene, {
      upstream: { address: [broker.address], bridge_protocol_version: version, remote_username: 'gw',
        remote_password: 'secret' },
    });
    const line = await gateway.program.line(/warning upstream/);
    expect(line).toMatch(/(not authorized|bad user name or password): check upstream\.remote_username and upstream\.remote_password$/);
    // Mosquitto does not name whom it refuses. The second time: it has been tried again.
    const refusal = /Client <unknown> disconnected, not authorised/;
    await broker.program.line(refusal, broker.program.lines.findIndex(said => refusal.test(said)) + 1);
    await publish(scene, gateway.port, 'reading/meanwhile', 'kept', '-q', '1');
    const subscriber = await Subscriber.start(scene, broker.port, 'site/#', '-u', 'tester', '-P', 'tester');
    broker.setUsers({ gw: 'secret', tester: 'tester' });
    broker.program.kill('SIGHUP');
    await gateway.connected();
    await subscriber.message('1 0 site/greenhouse/reading/meanwhile kept');
    expect(gateway.program.count(/warning upstream/)).toBe(1);
    expect(gateway.program.lines.join('\n')).not.toContain('secret');
  });

interop('nodes with a wrong password, or none, are refused with the right return code; the right one is let in',
  async scene => {
  const gateway = await Gateway.start(scene, {
    upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] },
    listener: { allow_anonymous: false, users: [{ username: 'node', password: 'pw' }] },
  });
  const attempt = async (...args: string[]) => {
    const program =
      scene.start('node', 'mosquitto_pub', '-h', '127.0.0.1', '-p', String(gateway.port), '-t', 'reading/a', '-m',
        'x', '-q', '1', ...args);
    const { code } = await program.exit();
    return { code, said: program.lines.join(' ') };
  };
  for (const version of VERSIONS.filter(name => name !== 'mqttv50')) { // which has other codes
    expect(await attempt('-V', version, '-u', 'node', '-P', 'wrong')).toEqual({ code: 4,
      said: expect.stringMatching(/bad user ?name or password/i) });
    expect(await attempt('-V', version, '-u', 'stranger', '-P', 'pw')).toEqual({ code: 4,
      said: expect.stringMatching(/bad user ?name or password/i) });
    expect(await attempt('-V', version)).toEqual({ code: 5, said: expect.stringMatching(/not authori[sz]ed/i) });
    expect(await attempt('-V', version, '-u', 'node', '-P', 'pw')).toEqual({ code: 0, said: '' });
  }
  expect(gateway.program.lines.join('\n')).not.toMatch(/wrong/);
});

for (const version of VERSIONS)
  interop(`the broker goes and comes back: what nodes publish meanwhile arrives, commands work again (${version})`,
    async scene => {
    const broker = await Broker.start(scene);
    const gateway =
      await Gateway.start(scene, { upstream: { address: [broker.address], bridge_protocol_version: version } });
    await broker.bridged();
    const node = await Subscriber.start(scene, gateway.port, 'command/#');
    await publish(scene, gateway.port, 'reading/count', 'before', '-q', '1');
    await broker.program.line(/Received PUBLISH from greenhouse/);

    await broker.program.stop('SIGKILL');
    await gateway.program.line(/warning upstream .*network connection lost/);
    for (const number of ['1', '2', '3', '4', '5'])
      await publish(scene, gateway.port, 'reading/count', number, '-q', number === '3' ? '2' : '1');
    await gateway.program.line(/is a broker listening at upstream\.address\?/);
    const mark = gateway.program.mark;
    await broker.start();
    const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
    await gateway.connected(mark);
    await broker.bridged();
    await publish(scene, gateway.port, 'reading/count', 'after', '-q', '1');
    await atBroker.message('1 0 site/greenhouse/reading/count after');
    // The subscriber may have come a little later than the gateway, but all came through, in order.
    const arrived = broker.program.count(/Received PUBLISH from greenhouse .*reading\/count/);
    expect(arrived).toBe(6);
    await publish(scene, broker.port, 'site/greenhouse/command/go', 'on', '-q', '1');
    await node.message('1 0 command/go on');
  });

interop('the broker starts later than the gateway: what waits arrives in order, and only once', async scene => {
  const broker = await Broker.prepare(scene);
  const gateway = await Gateway.start(scene, { upstream: { address: [broker.address], restart_timeout: [0.5, 0.5] } });
  expect(gateway.readyLine).toBe(`ready listener=127.0.0.1:${gateway.port} upstream=${broker.address}`);
  const line = await gateway.program.line(/warning upstream/);
  expect(line).toContain(`upstream ${broker.address}: cannot reach the network address: is a broker listening at upstream.address?`);
  const numbers = Array.from({ length: 20 }, (_, index) => String(index));
  for (const number of numbers)
    await publish(scene, gateway.port, 'reading/number', number, '-q', '1', '-r');
  await broker.start();
  await gateway.connected();
  const identifiers = (): number[] => broker.program.lines.flatMap(said => {
    const match = /Received PUBLISH from greenhouse \(d0, q1, r1, m(\d+), .*reading\/number/.exec(said);
    return match === null ? [] : [Number(match[1])];
  });
  await vi.waitFor(() => expect(identifiers()).toHaveLength(numbers.length), PATIENCE);
  // Retained, so that whoever is late gets the last one.
  await (await Subscriber.start(scene, broker.port, 'site/#')).message('1 1 site/greenhouse/reading/number 19');
  // Where identifiers begin is left to chance: a broker may remember those of an earlier life.
  const [first = 0] = identifiers();
  expect(identifiers()).toEqual(numbers.map((_, index) => (first - 1 + index) % 65_535 + 1));
});

interop('the gateway is killed and started again: nodes and broker find it as before', async scene => {
  const broker = await Broker.start(scene);
  const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
  const port = await freePort();
  const configuration = { upstream: { address: [broker.address] }, listener: { port } };
  const first = await Gateway.start(scene, configuration);
  await broker.bridged();
  const node = await Subscriber.start(scene, port, 'command/#', '-i', 'faithful');
  await first.program.stop('SIGKILL');
  const mark = { broker: broker.program.mark, node: node.program.mark };
  const second = await Gateway.start(scene, configuration);
  expect(second.port).toBe(port);
  await second.connected();
  await broker.bridged(mark.broker);
  await node.program.line(/^Subscribed /, mark.node); // it connects again by itself
  await publish(scene, broker.port, 'site/greenhouse/command/hello', 'again', '-q', '1');
  await node.message('1 0 command/hello again');
  await publish(scene, port, 'reading/hello', 'again', '-q', '2');
  await atBroker.message('2 0 site/greenhouse/reading/hello again');
});

interop('a port that is in use: one line that says what to do, and the gateway serves the broker', async scene => {
  const broker = await Broker.start(scene);
  const program =
    await Gateway.run(scene, { upstream: { address: [broker.address] }, listener: { port: broker.port } });
  await program.line(/^ready listener=none /);
  await program.line(/upstream .* connected/);
  const errors = program.lines.filter(line => / error /.test(line));
  expect(errors).toEqual([expect.stringContaining(`port ${broker.port} on 127.0.0.1 is in use: stop the program that uses it or set "listener.port"`)]);
  expect(program.count(/^ready/)).toBe(1);
});

interop('two addresses: the second broker gets the messages while the first is away', async scene => {
  const [absent, present] = [await Broker.prepare(scene), await Broker.start(scene)];
  const gateway = await Gateway.start(scene, { upstream: { address: [absent.address, present.address] } });
  await gateway.program.line(new RegExp(`upstream ${present.address} connected`));
  const atBroker = await Subscriber.start(scene, present.port, 'site/#');
  await publish(scene, gateway.port, 'reading/where', 'second', '-q', '1');
  await atBroker.message('1 0 site/greenhouse/reading/where second');
});

interop('two gateways of one identifier throw each other out: the log says where to look', async scene => {
  const broker = await Broker.start(scene);
  const upstream = { address: [broker.address], restart_timeout: [0.05, 0.1] as [number, number] };
  const first = await Gateway.start(scene, { upstream });
  await first.connected();
  const second = await Gateway.start(scene, { upstream });
  const clash = /the log of the broker tells whether another client calls itself "greenhouse"/;
  await Promise.any([first.program.line(clash), second.program.line(clash)]);
});

interop('a node of a version that nobody knows is refused with return code 1, and the gateway lives on', async scene => {
  const gateway = await Gateway.start(scene, { upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] } });
  expect(await exchange(gateway.port, '10 0e 00 04 4d515454 06 02 003c 00 0001 61')).toBe('20020001');
  await gateway.program.line(
    /refused: protocol version not accepted \(this gateway speaks MQTT 3\.1, 3\.1\.1 and 5\.0\)/);
  await publish(scene, gateway.port, 'reading/a', 'fine', '-V', 'mqttv5', '-q', '1');
});
