/**
 * `ringbridge check FILE --online`: the whole way that messages will take, step by step, each with a deadline, before
 * anybody waits for data. It asks with an identifier of its own and a clean session, and publishes only where it is
 * told to, so a gateway that runs with the file goes on undisturbed.
 */
import { randomBytes } from 'node:crypto';
import type { Configuration, UpstreamConfiguration } from '../config/configuration.ts';
import { loadConfiguration } from './config.ts';
import { complain, print, USAGE_ERROR } from './exit-codes.ts';
import { objectionTo } from './topic-flaws.ts';
import { checkClock, checkPorts, checkStore } from './online-local.ts';
import { Report } from './online-report.ts';
import { checkRules, publishProbes } from './online-rules.ts';
import { askForVersions, findWay, type Question } from './online-way.ts';
import { readPasswordFile } from './password-file.ts';
import { askForStatus } from './status-client.ts';
import { findSockets } from './status-place.ts';

interface OnlineOptions {
  /** Begins the identifier at the broker; undefined: one that nobody has. */
  readonly clientid?: string | undefined;
  readonly publish?: boolean | undefined;
}

/** Characters of the identifier of this test: with a number behind it no more than 3.1 takes. */
const OWN_LENGTH = 12;
const LONGEST_IDENTIFIER = 65_000;

/**
 * @param tell gets a line for each thing that was looked at
 * @returns the exit code: 0 all is well, 1 there are warnings, 2 there are errors
 */
export async function checkOnline(file: string, { clientid, publish }: OnlineOptions, tell = print): Promise<number> {
  const { configuration, errors, further = [], warnings } = loadConfiguration(file);
  [...errors, ...warnings].forEach(complain);
  if (configuration === undefined)
    return USAGE_ERROR;
  const all = [configuration, ...further.map(part => part.configuration)];
  const isOwn = all.some(({ upstream }) => clientid === upstream.remote_clientid);
  const objection = clientid === undefined ? undefined : isOwn
    ? `"${clientid}" is the gateway's own, which would lose its connection; ask with another one` : objectionTo(clientid, LONGEST_IDENTIFIER);
  if (objection !== undefined) {
    complain(`ringbridge: --clientid: ${objection}`);
    return USAGE_ERROR;
  }
  const report = new Report(tell);
  await checkClock(report);
  checkStore(report, configuration);
  await checkPorts(report, configuration, await findRunning(file, configuration.store));
  for (const each of all)
    await checkWay(report, each, clientid, publish === true);
  return report.exitCode;
}

/** To one broker. */
async function checkWay(report: Report, configuration: Configuration, clientid: string | undefined, publishes: boolean):
  Promise<void> {
  const { upstream } = configuration;
  const password = passwordOf(report, upstream);
  if (password === undefined)
    return;
  const own = upstream.remote_clientid.replace(/[^0-9A-Za-z]/g, '').slice(0, OWN_LENGTH);
  const question: Question = { configuration, credentials: { username: upstream.remote_username, password },
    identifier: clientid ?? `${own}check${randomBytes(2).toString('hex')}` };
  const way = await findWay(report, question);
  if (way === undefined)
    return;
  const speaksFive = await askForVersions(report, question, way);
  await checkRules(report, question, way);
  if (publishes)
    await publishProbes(report, question, way, speaksFive);
  else if (configuration.topic.some(({ direction }) => direction !== 'in'))
    report.add('ok', 'PUBLISH', 'not tested: --publish sends one message for each rule of direction "out"');
}

/** The process of the gateway that runs with the file. */
async function findRunning(file: string, store: Parameters<typeof findSockets>[1]): Promise<number | undefined> {
  for (const { pid } of findSockets(file, store))
    try {
      await askForStatus(file, pid);
      return pid;
    } catch { /* it has gone and left its socket */ }
  return undefined;
}

/** Null: none. @returns undefined when it cannot be had */
function passwordOf(report: Report, { remote_password, remote_password_file }: UpstreamConfiguration):
  string | null | undefined {
  if (remote_password_file === null)
    return remote_password;
  const read = readPasswordFile(remote_password_file);
  if ('password' in read)
    return read.password;
  report.add('error', 'password', read.problem);
  return undefined;
}
