/**
 * The gateway as users start it: dist/host/main.js. `npm ci` has built it; when a source file is newer it is built once
 * more, by one test file while the others wait.
 */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const GATEWAY_PROGRAM = join(ROOT, 'dist/host/main.js');

const SOURCES = ['src', 'rollup.config.mjs', 'package.json'];
const LOCK = join(tmpdir(), `ringbridge-build-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`);
const OWNER = join(LOCK, 'owner');
/** Between two looks at a lock that somebody else holds, in milliseconds. */
const LOOK_INTERVAL = 50;

/** When a file, or the newest one in a folder, was last changed. 0: there is none. */
async function changedAt(path: string): Promise<number> {
  const about = await stat(path).catch(() => undefined);
  if (about === undefined)
    return 0;
  if (!about.isDirectory())
    return about.mtimeMs;
  const inside = await readdir(path);
  return Math.max(0, ...await Promise.all(inside.map(name => changedAt(join(path, name)))));
}

async function isUpToDate(): Promise<boolean> {
  const sources = await Promise.all(SOURCES.map(name => changedAt(join(ROOT, name))));
  return await changedAt(GATEWAY_PROGRAM) >= Math.max(...sources);
}

/** Builds if needed. To be awaited in `beforeAll`. @throws Error with what the bundler said */
export async function buildGateway(): Promise<void> {
  while (await isHeld())
    await delay(LOOK_INTERVAL);
  if (await isUpToDate())
    return;
  try {
    await mkdir(LOCK);
  } catch { // somebody was faster
    return buildGateway();
  }
  try {
    await writeFile(OWNER, String(process.pid));
    await build();
  } finally {
    await rm(LOCK, { recursive: true, force: true });
  }
}

/** Whether a build is under way. One whose process has died holds nothing. */
async function isHeld(): Promise<boolean> {
  if (await changedAt(LOCK) === 0 && await stat(LOCK).catch(() => undefined) === undefined)
    return false;
  const owner = Number(await readFile(OWNER, 'utf8').catch(() => ''));
  if (owner === 0)
    return true; // just taken
  try {
    process.kill(owner, 0);
    return true;
  } catch {
    await rm(LOCK, { recursive: true, force: true });
    return false;
  }
}

function build(): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const child = spawn(process.execPath, [join(ROOT, 'node_modules/rollup/dist/bin/rollup'), '--config', '--silent'], { cwd: ROOT });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => said.push(String(chunk)));
    child.on('error', reject);
    child.on('close', code => code === 0 ? resolve() : reject(new Error(`the gateway cannot be built: ${said.join('')}`)));
  });
}
