/**
 * Where a gateway that runs can be asked for its status: a socket of the file system, for its user only, whose name
 * says which configuration file it runs with. No port, nothing to configure: whoever knows FILE finds it.
 *
 *   FOLDER/ringbridge-GIVEN-REAL-PID-RANDOM.sock
 *
 * GIVEN and REAL are hashes of the path of FILE as it was given and without symbolic links: both ways lead there. The
 * name is another one each time, so nobody takes away what somebody else has made. On Windows: a named pipe.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { StoreConfiguration } from '../config/store-configuration.ts';
import { realPathOf } from './file-lock.ts';

const PIPES = '\\\\.\\pipe';
const START = 'ringbridge-';
const END = '.sock';
const NAME = /^ringbridge-([0-9a-f]{10})-([0-9a-f]{10})-(\d+)-[0-9a-f]{8}\.sock$/;
const HASH_LENGTH = 10;
/** Of a path that a socket may have, in bytes; the system has 104 to 108, with a zero at the end. */
const LONGEST_PATH = 103;
/** What the unit of the documents calls its RuntimeDirectory, and where systemd keeps those of users. */
const SERVICE_FOLDER = '/run/ringbridge';
const USERS_FOLDER = '/run/user';

export interface StatusSocket {
  readonly path: string;
  readonly pid: number;
}

/** The store as far as it is known. */
type StorePlace = Pick<StoreConfiguration, 'durability' | 'path'> | undefined;

/**
 * Where a gateway makes its socket: the first that it can use, of systemd's folder for this service, that for this
 * user, and those of its own files.
 */
export function statusFolders(file: string, store: StorePlace, env = process.env, platform = process.platform):
  string[] {
  if (platform === 'win32')
    return [PIPES];
  const { RUNTIME_DIRECTORY = '', XDG_RUNTIME_DIR = '' } = env;
  const folders = [...RUNTIME_DIRECTORY.split(':').slice(0, 1), XDG_RUNTIME_DIR].filter(folder => folder !== '');
  return [...folders, ...store?.durability === 'flash' ? [dirname(resolve(store.path))] : [], dirname(resolve(file))];
}

/** A name that nobody has. @returns undefined where the folder's is too long */
export function makeSocketPath(folder: string, file: string): string | undefined {
  const path = join(folder, `${START}${hashesOf(file).join('-')}-${process.pid}-${randomBytes(4).toString('hex')}${END}`);
  return Buffer.byteLength(path) > LONGEST_PATH ? undefined : path;
}

/** All sockets in a folder that look like those of gateways. */
export function socketsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => NAME.test(name)).map(name => join(folder, name));
  } catch { // there is no such folder, or it is somebody else's
    return [];
  }
}

/** Sockets of gateways that run, or ran, with this file. */
export function findSockets(file: string, store: StorePlace): StatusSocket[] {
  const wanted = hashesOf(file);
  const folders = new Set([...statusFolders(file, store),
    ...process.platform === 'win32' ? [] : [SERVICE_FOLDER, ...foldersOfUsers()]].map(withoutLinks));
  return [...folders].flatMap(socketsIn).flatMap(path => {
    const [, given, real, pid] = NAME.exec(basename(path))!;
    return (wanted.includes(given!) || wanted.includes(real!)) && isTrustworthy(path, file)
      ? [{ path, pid: Number(pid) }] : [];
  });
}

/** Others may have left something in a folder that everybody writes to: only the owners of the file are believed. */
function isTrustworthy(path: string, file: string): boolean {
  const uid = process.getuid?.();
  if (uid === undefined || uid === 0) // root finds services of whatever user
    return true;
  try {
    return [uid, 0, statSync(file).uid].includes(statSync(path).uid);
  } catch {
    return false;
  }
}

const withoutLinks = (folder: string): string => {
  try {
    return realPathOf(folder);
  } catch {
    return folder;
  }
};

function foldersOfUsers(): string[] {
  try {
    return readdirSync(USERS_FOLDER).map(name => join(USERS_FOLDER, name));
  } catch {
    return [];
  }
}

const hashesOf = (file: string): string[] => [resolve(file), withoutLinks(resolve(file))]
  .map(path => createHash('sha256').update(path).digest('hex').slice(0, HASH_LENGTH));
