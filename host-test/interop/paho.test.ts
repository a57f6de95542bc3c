/** Eclipse Paho's C client as a node, with the command-line programs that Debian packages. */
import { beforeAll, describe, expect } from 'vitest';
import { Broker, freePort, Gateway, interop, MOSQUITTO, publish, requirePrograms, Subscriber } from './cast.ts';
import type { Program, Scene } from './program.ts';

const PAHO = 'paho.mqtt.c-examples';
/** The asynchronous and the synchronous library. */
const PUBLISHERS = ['paho_c_pub', 'paho_cs_pub'];
const SUBSCRIBERS = ['paho_c_sub', 'paho_cs_sub'];

beforeAll(() =>
  requirePrograms({ ...MOSQUITTO,
    ...Object.fromEntries([...PUBLISHERS, ...SUBSCRIBERS].map(program => [program, PAHO])) }));

async function pahoPublish(scene: Scene, program: string, port: number, ...args: string[]): Promise<void> {
  const { code } =
    await scene.start(program, program, '-h', '127.0.0.1', '-p', String(port), '-i', 'paho-publisher', ...args).exit();
  expect(code).toBe(0);
}

function pahoSubscribe(scene: Scene, program: string, port: number, filter: string, ...args: string[]): Program {
  // Prints the length (one of the two), the topic, a tabulator and the payload.
  return scene.start(program, 'stdbuf', '-oL', program, '-h', '127.0.0.1', '-p', String(port), '-t', filter, '-q',
    '2', '-v', ...args);
}

describe.each([['3.1', '31'], ['3.1.1', '311']])('Paho C with MQTT %s', (_name, version) => {
  interop('publishes to the broker with every QoS', async scene => {
    const broker = await Broker.start(scene);
    const gateway = await Gateway.start(scene, { upstream: { address: [broker.address] } });
    await gateway.connected();
    const atBroker = await Subscriber.start(scene, broker.port, 'site/#');
    for (const program of PUBLISHERS)
      for (const qos of ['0', '1', '2']) {
        await pahoPublish(scene, program, gateway.port, '-t', `reading/${program}/${qos}`, '-m', 'up', '-V', version,
          '-q', qos);
        await atBroker.message(`${qos} 0 site/greenhouse/reading/${program}/${qos} up`);
      }
    expect(gateway.program.count(/ warning /)).toBe(0);
  });

  for (const program of SUBSCRIBERS)
    interop(`gets commands and retained messages with every QoS (${program})`, async scene => {
      const broker = await Broker.start(scene);
      const gateway = await Gateway.start(scene, { upstream: { address: [broker.address] } });
      await broker.bridged();
      await publish(scene, gateway.port, 'command/kept', 'retained', '-r', '-q', '1');
      const node = pahoSubscribe(scene, program, gateway.port, 'command/#', '-V', version, '-i', 'paho');
      await gateway.program.line(/node "paho" .*connected with MQTT 3\.1/);
      await node.line(/^(\d+ )?command\/kept\tretained$/); // the subscription stands
      for (const qos of ['0', '1', '2']) {
        await publish(scene, broker.port, `site/greenhouse/command/${qos}`, `down ${qos}`, '-q', qos);
        await node.line(new RegExp(`^(\\d+ )?command/${qos}\tdown ${qos}$`));
      }
    });

  interop('has a Will that is published when it is killed', async scene => {
    const gateway = await Gateway.start(scene, { upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] } });
    const watcher = await Subscriber.start(scene, gateway.port, 'state/#');
    const node = pahoSubscribe(scene, 'paho_c_sub', gateway.port, '#', '-V', version, '-i', 'mortal', '--will-topic',
      'state/mortal', '--will-payload', 'dead', '--will-qos', '1');
    await gateway.program.line(/node "mortal".* connected/);
    await node.stop('SIGKILL');
    await watcher.message('1 0 state/mortal dead');
  });
});
