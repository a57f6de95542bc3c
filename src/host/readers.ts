/** Warns of passwords in plain text, and of private keys, in files that everybody on this computer may read. */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Configuration } from '../config/configuration.ts';

const READ = 0o004;
const SEARCH = 0o001;

/** @param text of `file` @returns a line for each file */
export function warnOfReaders(text: string, file: string, { listener, upstream }: Configuration): string[] {
  const { bridge_keyfile, bridge_psk, remote_password, remote_password_file } = upstream;
  const secrets = [remote_password, bridge_psk, ...listener.users.map(({ password }) => password)]
    .filter(secret => typeof secret === 'string' && secret !== '');
  const holdsSecret = secrets.some(secret => text.includes(JSON.stringify(secret))); // and not ${NAME} in its place
  const files = [...holdsSecret ? [file] : [], remote_password_file, bridge_keyfile, listener.keyfile,
    listener.psk_file].filter(each => each !== null);
  return files.filter(isReadByAll).map(each => `${each}: warning: everybody on this computer may read this file, and `
    + `there ${each === bridge_keyfile || each === listener.keyfile ? 'is a private key' : 'are passwords'} in it; write "chmod 600 ${each}", or 640 with the `
    + 'group of the service');
}

/** Of Windows Node tells no such thing. */
function isReadByAll(file: string): boolean {
  if (process.platform === 'win32')
    return false;
  try {
    const path = realpathSync(file);
    let mayRead = (statSync(path).mode & READ) !== 0;
    for (let folder = dirname(path); mayRead && folder !== dirname(folder); folder = dirname(folder))
      mayRead = (statSync(folder).mode & SEARCH) !== 0;
    return mayRead;
  } catch { // it is not there, or not ours
    return false;
  }
}
