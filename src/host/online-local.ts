/**
 * What of this computer a gateway needs, for `ringbridge check --online`: the clock, a store that can be written, ports
 * that are free. A gateway that runs is left alone: nothing of its store is opened for writing, and no lock is taken.
 */
import { execFile } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, fdatasyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { Configuration } from '../config/configuration.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { kindOf } from './file-kind.ts';
import { holderOf, realPathOf } from './file-lock.ts';
import { explain } from './file-storage.ts';
import { Listener } from './listener.ts';
import { messageOf } from './log.ts';
import type { Report } from './online-report.ts';
import { securityOfPage } from './page-security.ts';
import { hasTLS, ServerSecurity } from './server-security.ts';
import { FOREIGN, LATER_VERSION, examine, OTHER_VERSION, refusalOfForeign } from './store-file.ts';

/** Milliseconds for a program that knows of the clock, and for a port. */
const PATIENCE = 2000;
/** No clock of today is before this program was written: 2026. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** Seconds by which a clock may be wrong, and milliseconds that a disk may take. */
const TOLERANCE = 60;
const SLOW = 1000;
const TEST_LENGTH = 4096;

const ask = (program: string, ...args: string[]): Promise<string> => new Promise(resolve => {
  execFile(program, args, { timeout: PATIENCE, killSignal: 'SIGKILL' }, (_error, output) => resolve(output));
});

export async function checkClock(report: Report): Promise<void> {
  const now = Date.now();
  const here = `it is ${new Date(now).toISOString().slice(0, 19)}Z here`;
  if (now < EARLIEST) {
    report.add('error', 'clock', `${here}, which cannot be: set it, or let the system do so by NTP; certificates seem not to be valid yet until then`);
    return;
  }
  const [tracking, synchronized] = await Promise.all([ask('chronyc', '-n', 'tracking'),
    ask('timedatectl', 'show', '--property=NTPSynchronized', '--value')]);
  const difference = /^System time\s*:\s*([0-9.]+) seconds (slow|fast)/m.exec(tracking);
  if (difference !== null) {
    const isWrong = Number(difference[1]) > TOLERANCE;
    report.add(isWrong ? 'warning' : 'ok', 'clock', `${here}, by NTP ${difference[1]} seconds ${difference[2]}${isWrong ? ': see "chronyc tracking"' : ''}`);
  } else if (synchronized.trim() === 'yes')
    report.add('ok', 'clock', `${here}, kept right by NTP`);
  else if (synchronized.trim() === 'no')
    report.add('warning', 'clock', `${here}, and the system does not keep it right: let it do so by NTP ("timedatectl set-ntp true"), for certificates and `
      + 'times in messages');
  else
    report.add('ok', 'clock', `${here}; by how much it is wrong is not known, for neither timedatectl nor chronyc tell`);
}

export function checkStore(report: Report, configuration: Configuration): void {
  const { store } = configuration;
  if (store.durability === 'ram') {
    report.add('ok', 'store', `in memory, ${store.ram} bytes: what waits does not survive a restart (store.durability)`);
    return;
  }
  try {
    const path = realPathOf(store.path);
    const problem = judgeFile(report, path, configuration);
    if (problem !== undefined)
      report.add('error', 'store', problem);
    else
      testFolder(report, path, store.size);
  } catch (error) {
    report.add('error', 'store', messageOf(explain(store.path, error)));
  }
}

/** @returns what is wrong and what to do */
function judgeFile(report: Report, path: string, configuration: Configuration): string | undefined {
  const { size } = configuration.store;
  if (!existsSync(path)) {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < size ? `the disk has ${bavail * bsize} bytes left for "${path}" of ${size}: free some, or lower store.size` : undefined;
  }
  const kind = kindOf(statSync(path));
  if (kind !== undefined)
    return `"${path}" is ${kind}: give store.path the name of a regular file`;
  const found = examine(path);
  if (found === LATER_VERSION)
    return `"${path}" is a store of a later version of this program: run that version, or give another store.path`;
  const refusal = refusalOfForeign(path, size, longestStoredPacket(configuration));
  if (refusal !== undefined)
    return refusal;
  if (found === FOREIGN || found === OTHER_VERSION)
    report.add('warning', 'store', `"${path}" is no store of this version of the program: a gateway moves it aside, and makes another one; give another `
      + 'store.path if it is something else');
  accessSync(path, constants.R_OK | constants.W_OK);
  const holder = holderOf(path);
  if (holder !== undefined)
    report.add('ok', 'store', `"${path}" is used by ${holder}, so only its folder is tested`);
  return undefined;
}

/** In a container a user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

/** By a file beside the store, which is gone afterwards. */
function testFolder(report: Report, path: string, size: number): void {
  const test = join(dirname(path), `.ringbridge-check-${process.pid}`);
  const file = openSync(test, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    const started = performance.now();
    writeSync(file, Buffer.alloc(TEST_LENGTH));
    fdatasyncSync(file);
    const took = Math.ceil(performance.now() - started);
    const { bavail, bsize } = statfsSync(dirname(path));
    const room = `${Math.floor(bavail * bsize / 1024 / 1024)} MB are left`;
    report.add(took > SLOW ? 'warning' : 'ok', 'store', `"${path}", ${size} bytes: user "${userName()}" can write there, and the disk confirms after ${took} ms; `
      + `${room}${took > SLOW ? ': nodes wait so long for an acknowledgement; use another disk, or look what keeps it busy' : ''}`);
  } finally {
    closeSync(file);
    rmSync(test, { force: true });
  }
}

/** @param pid of the gateway that runs with this file, undefined: none does */
export async function checkPorts(
  report: Report, configuration: Configuration, pid: number | undefined,
): Promise<void> {
  const { listener, page } = configuration;
  checkCertificate(report, 'listener', watch => hasTLS(listener) ? new ServerSecurity(listener, watch) : undefined);
  await checkPort(report, 'listener', listener, pid);
  if (page === null)
    return;
  if (page.certfile !== null) // else it shows that of the listener
    checkCertificate(report, 'page', watch => securityOfPage(page, configuration, watch));
  await checkPort(report, 'page', page, pid);
}

function checkCertificate(report: Report, section: 'listener' | 'page',
  securityOf: (watch: CertificateWatch) => ServerSecurity | undefined): void {
  try {
    const watch = new CertificateWatch(text => report.add('warning', section, text));
    securityOf(watch)?.read();
    watch.check();
  } catch (error) {
    report.add('error', section, messageOf(error));
  }
}

class PagePort extends Listener {
  protected override readonly section = 'page';
}

interface Port {
  readonly address: string;
  readonly port: number;
}

async function checkPort(
  report: Report, section: 'listener' | 'page', { address, port }: Port, pid: number | undefined,
): Promise<void> {
  const problem = port === 0 ? undefined : await tryPort(section, { address, port });
  if (problem === undefined)
    report.add('ok', section, port === 0 ? `any free port of ${address}` : `port ${port} of ${address} is free`);
  else if (pid !== undefined && / is in use: /.test(problem))
    report.add('ok', section, `port ${port} of ${address} is used by process ${pid}, the gateway that runs with this file`);
  else
    report.add('error', section, problem);
}

/** Nobody is let in. @returns why it cannot be had */
function tryPort(section: 'listener' | 'page', { address, port }: Port): Promise<string | undefined> {
  return new Promise(resolve => {
    const end = (problem?: string): void => {
      server.close();
      resolve(problem);
    };
    const server = new (section === 'page' ? PagePort : Listener)({
      address, port, onReadable: () => {}, onListening: () => end(), onError: message => end(message),
    });
  });
}
