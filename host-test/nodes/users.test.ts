/** Users, rights and mount points together, as a computer runs them: passwords, real sockets. */
import { once } from 'node:events';
import { connect as connectTCP } from 'node:net';
import { expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { Log } from '../../src/host/log.ts';
import { startGateway } from '../../src/host/run.ts';
import { connect, describePackets, publish, subscribe } from '../world/packets.ts';

test('a user is known by the password, lives under a mount point and has rights', async () => {
  const lines: string[] = [];
  const gateway = await startGateway(completeConfiguration({
    upstream: { restart_timeout: [3600, 3600] },
    listener: {
      port: 0, address: '127.0.0.1', allow_anonymous: false,
      users: [{ username: 'anna', password: 'secret-a', mount_point: 'site/%u/' },
        { username: 'root', password: 'secret-r' }],
      acl: [{ user: 'anna', topic: 'site/anna/#' }, { user: 'root', topic: '#', access: 'read' }],
    },
  }), new Log(line => lines.push(line)));
  const sockets: ReturnType<typeof connectTCP>[] = [];
  /** @returns what comes back, `length` bytes of it at least, or all until the end */
  const dialogue = async (length: number, ...packets: Uint8Array[]): Promise<string[]> => {
    const socket = connectTCP(gateway.port, '127.0.0.1');
    sockets.push(socket);
    let bytes = Buffer.alloc(0);
    const enough = new Promise<void>(resolve => {
      socket.on('data', data => {
        bytes = Buffer.concat([bytes, data]);
        if (bytes.length >= length)
          resolve();
      });
      socket.on('close', () => resolve());
    });
    await once(socket, 'connect');
    socket.write(Buffer.concat(packets));
    await enough;
    return describePackets(bytes);
  };
  try {
    expect(await dialogue(99, connect('n', { user: 'anna', password: 'wrong' }))).toEqual(['CONNACK 4']);
    expect(await dialogue(99, connect('n', { user: 'nobody', password: 'secret-a' }))).toEqual(['CONNACK 4']);
    expect(await dialogue(99, connect('n'))).toEqual(['CONNACK 5']);
    expect(await dialogue(15, connect('n', { user: 'anna', password: 'secret-a' }),
      publish('t', 'x', { retain: true }), subscribe(1, '#', 0)))
      .toEqual(['CONNACK 0', 'SUBACK #1 0', 'PUBLISH t=x q0 retain']);
    expect(await dialogue(29, connect('r', { user: 'root', password: 'secret-r' }),
      publish('site/anna/t', 'no', { qos: 1 }), subscribe(1, '#', 0)))
      .toEqual(['CONNACK 0', 'PUBACK #1', 'SUBACK #1 0', 'PUBLISH site/anna/t=x q0 retain']);
    expect(await dialogue(99, connect('n', { user: 'root', password: 'secret-r' }))).toEqual(['CONNACK 5']);
    expect(lines.join('\n')).not.toMatch(/secret|wrong/);
  } finally {
    for (const socket of sockets)
      socket.destroy();
    await gateway.stop();
  }
});
