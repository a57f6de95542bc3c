/** Mosquitto as a bridge with persistence, for the comparison of stores: its configuration, its port, its CPU time. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { BridgeProcess } from './bridges.ts';

/** Debian installs it where not everybody looks. */
const SEARCH = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` };

/** Of a second, in the kernel's figures for processes. */
const TICKS = 100;
const PATIENCE = 10_000;

/** Its CPU time is read where Linux tells it. */
export const hasMosquitto = (): boolean => existsSync('/proc/self/stat')
  && spawnSync('mosquitto', ['-h'], { env: SEARCH }).error === undefined;

/** @param folder for its files @param saves 'now and then' is how it comes: every half hour, and at the end */
export const startMosquitto = (folder: string, saves: 'now and then' | 'each change') =>
  async (_sourcePort: number, sinkPort: number): Promise<BridgeProcess> => {
  const port = await freePort();
  mkdirSync(folder);
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(file, [
    `listener ${port} 127.0.0.1`, 'allow_anonymous true', 'user root', 'log_type none', 'max_queued_messages 0',
    'persistence true', `persistence_location ${folder}/`,
    ...saves === 'each change' ? ['autosave_on_changes true', 'autosave_interval 1'] : [],
    'connection upstream', `address 127.0.0.1:${sinkPort}`, 'cleansession false', 'notifications false',
      'try_private false', 'topic site/# out 1 "" bridge/', '',
  ].join('\n'));
  const child = spawn('mosquitto', ['-c', file], { env: SEARCH, stdio: 'ignore' });
  const failed =
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`mosquitto ended with ${code} before it was ready`)));
  await Promise.race([listening(port), failed]);
  failed.catch(() => { /* it is stopped at the end */ });
  return {
    port,
    async cpuTime() {
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 1e6 / TICKS;
    },
    stop: () => child.kill('SIGKILL'),
  };
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number): Promise<void> {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise(resolve => setTimeout(resolve, 10));
    } finally {
      socket.destroy();
    }
  }
  throw new Error('mosquitto does not listen');
}
