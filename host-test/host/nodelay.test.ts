/** TCP_NODELAY, on real sockets: what the gateway asks the system for. Node tells no more than what it was asked. */
import { connect, createServer, type AddressInfo, type Server, Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { PasswordAuthenticator } from '../../src/host/authentication.ts';
import { createPlatform } from '../../src/host/platform.ts';
import { Runtime } from '../../src/io/runtime.ts';
import { silentObserver } from '../world/platform.ts';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse())
    await end();
  vi.restoreAllMocks();
});

/**
 * A gateway with a broker that says nothing and one node. @returns per remote port, what the gateway's sockets were
 * set to
 */
async function settingsOf(upstream: { bridge_tcp_nodelay?: boolean }): Promise<{ broker: unknown; node: unknown }> {
  const set = vi.spyOn(Socket.prototype, 'setNoDelay');
  const broker = createServer();
  await new Promise<void>(resolve => broker.listen(0, '127.0.0.1', resolve));
  endings.push(() => close(broker));
  const brokerPort = (broker.address() as AddressInfo).port;
  const authenticator = await PasswordAuthenticator.create({ allow_anonymous: true, users: [] });
  let onListening = (_port: number): void => {};
  const listening = new Promise<number>(resolve => { onListening = resolve; });
  const runtime = new Runtime(completeConfiguration({
    upstream: { address: [`mqtt://127.0.0.1:${brokerPort}`], ...upstream },
    listener: { port: 0, address: '127.0.0.1', allow_anonymous: true },
  }), createPlatform(authenticator), { ...silentObserver, onListening });
  authenticator.runtime = runtime;
  endings.push(() => new Promise<void>(resolve => runtime.stop(resolve)));
  const asked = new Promise<Socket>(resolve => broker.once('connection', resolve));
  runtime.start();
  const server = await asked;
  endings.push(() => server.destroy());
  const node = connect(await listening, '127.0.0.1');
  endings.push(() => node.destroy());
  node.write(Buffer.from([0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x6E]));
  await new Promise(resolve => node.once('data', resolve));
  const settingFor = (port: number | undefined): unknown => {
    const index = set.mock.contexts.findIndex(socket => (socket as Socket).remotePort === port);
    return set.mock.calls[index]?.[0];
  };
  return { broker: settingFor(brokerPort), node: settingFor(node.localPort) };
}

const close = (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()));

describe('small packets', () => {
  it('leave at once, to the broker and to nodes', async () => {
    expect(await settingsOf({})).toEqual({ broker: true, node: true });
  });

  it('wait for those before them only on the way to the broker, and only if the configuration says so', async () => {
    expect(await settingsOf({ bridge_tcp_nodelay: false })).toEqual({ broker: false, node: true });
  });
});
