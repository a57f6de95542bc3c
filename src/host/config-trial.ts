/**
 * A configuration on trial: `FILE.trial` stands beside the file from before it is replaced until somebody confirms it
 * or the one before is back, so that a program that is killed meanwhile, or a power cut, cannot make it stay. It has
 * the text of the file before, behind one line that tells which texts are tried: a file that somebody has changed by
 * hand since is that person's, and stays.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync, chownSync, existsSync, readFileSync, realpathSync, renameSync, rmSync, type Stats, statSync, writeFileSync,
} from 'node:fs';
import { type Log, messageOf } from './log.ts';
import { synchronizeFolder } from './store-file.ts';

const HEAD = /^\/\/ on trial:((?: [0-9a-f]{64})+)\n/;

/** What the end of a trial has found: nothing to do, the one before, or one that somebody has made by hand. */
type TrialEnd = 'none' | 'back' | 'edited';

export const trialFile = (file: string): string => `${file}.trial`;

const digestOf = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** Whose a file is, and who may what with it. */
type Ownership = Pick<Stats, 'gid' | 'mode' | 'uid'>;

/** The file that whoever opens `file` gets: not the link, which stays one. */
export const targetOf = (file: string): string => realpathSync(file);

/**
 * In one step: whoever reads it meanwhile, or after a power cut, finds one or the other.
 * @param file no link, or one that is replaced @param like the new one belongs to the same user and group, and has the
 * same mode; undefined: it is for this program alone
 * @throws when it cannot be written, or not be given to that user: nothing has changed then
 */
export function replaceFile(file: string, bytes: Buffer | string, like?: Ownership): void {
  const made = `${file}.new`;
  rmSync(made, { force: true });
  try {
    writeFileSync(made, bytes, { mode: 0o600, flush: true, flag: 'wx' });
    if (like !== undefined) {
      const { gid, uid } = statSync(made);
      if (uid !== like.uid || gid !== like.gid)
        giveTo(made, like);
      chmodSync(made, like.mode & 0o7777); // whatever the umask is
    }
    renameSync(made, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') // it is not ours
      rmSync(made, { force: true });
    throw error;
  }
  synchronizeFolder(file);
}

function giveTo(file: string, { gid, uid }: Ownership): void {
  try {
    chownSync(file, uid, gid);
  } catch (error) {
    throw Object.assign(new Error(`it belongs to user ${uid} and group ${gid}, to whom this program may not give another one`),
      { code: (error as NodeJS.ErrnoException).code === 'EPERM' ? 'EOWNER' : (error as NodeJS.ErrnoException).code });
  }
}

/** To be called before one of `texts` is written to `file`. @param old what to go back to */
export const beginTrial = (file: string, old: Buffer, texts: readonly (Buffer | string)[]): void =>
  replaceFile(trialFile(file), Buffer.concat([Buffer.from(`// on trial: ${texts.map(digestOf).join(' ')}\n`), old]));

/** The file stays as it is. */
export function confirmTrial(file: string): void {
  rmSync(trialFile(file), { force: true });
  synchronizeFolder(file);
}

interface Trial {
  readonly old: Buffer;
  /** The file is one that was tried. */
  readonly isTried: boolean;
  /** The file is the one before. */
  readonly isOld: boolean;
}

/** @returns undefined when there is none */
function trialOf(file: string): Trial | undefined {
  if (!existsSync(trialFile(file)))
    return undefined;
  const mark = readFileSync(trialFile(file));
  const current = readFileSync(file);
  const [head = '', digests = ''] = HEAD.exec(mark.toString('latin1')) ?? [];
  const old = mark.subarray(head.length);
  return { old, isTried: digests.split(' ').includes(digestOf(current)), isOld: current.equals(old) };
}

/** What the trial goes back to; undefined: the file is not on trial. */
export function beforeTrial(file: string): Buffer | undefined {
  const trial = trialOf(file);
  return trial?.isTried === true ? trial.old : undefined;
}

/** @throws when the file cannot be written: the trial has not ended then */
function goBack(file: string): TrialEnd {
  const trial = trialOf(file);
  if (trial === undefined)
    return 'none';
  if (trial.isTried)
    replaceFile(targetOf(file), trial.old, statSync(file));
  confirmTrial(file);
  return trial.isTried ? 'back' : trial.isOld ? 'none' : 'edited';
}

/** @param why what has ended the trial @returns whether the file is another one now */
export function endTrial(file: string, log: Log, why: string): boolean {
  try {
    const end = goBack(file);
    if (end === 'back')
      log.write('warning', `${why}: the one before is back`);
    if (end === 'edited')
      log.write('warning', `${why}, but somebody has changed ${file} meanwhile: it stays as it is; the one from before the trial `
        + 'is kept as .previous');
    return end === 'back';
  } catch (error) {
    log.write('error', `${why}, and the one before cannot be put back: ${messageOf(error)}; copy ${file}.previous to ${file}`);
    return false;
  }
}
