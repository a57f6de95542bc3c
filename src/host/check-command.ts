/** `ringbridge check`: what a configuration means, and where its topics go. */
import { noteOnLength, refusalsOfBoard, warningsOfBoard } from './board-reading.ts';
import { describeConfiguration, describeRules, findOverflow, notesForDevice } from './check.ts';
import { type LoadedConfiguration, loadConfiguration } from './config.ts';
import { readText } from './config-file.ts';
import { DEFAULT_CLIENT } from './config-tests.ts';
import { beforeTrial, trialFile } from './config-trial.ts';
import { complain, misused, print, USAGE_ERROR } from './exit-codes.ts';
import { reportFurther, reportTopic } from './topic-report.ts';

/**
 * @param wanted a board; undefined: as it would run on this computer, as with several upstreams
 * @param isForBoard it is to be read by that board: what only a computer accepts is wrong
 */
export function check(file: string, wanted: string | undefined, isForBoard: boolean): number {
  const board = isForBoard || !hasSeveralUpstreams(file) ? wanted : undefined;
  const { configuration, errors, further = [], hide = asIs, notes, warnings } = loadFor(board, file);
  [...errors, ...warnings].forEach(complain);
  if (isOnTrial(file))
    complain(`${file}: warning: this configuration is on trial: the one before, in ${trialFile(file)}, comes back unless `
      + 'somebody confirms this one; change the file itself, and it stays as it is then');
  if (configuration === undefined)
    return USAGE_ERROR;
  const text = textOf(file);
  const refusals = isForBoard ? refusalsOfBoard(text, file, configuration, board!) : [];
  refusals.forEach(complain);
  if (refusals.length > 0)
    return USAGE_ERROR;
  const notesOfBoard = board === undefined ? []
    : [...notesForDevice(configuration), ...noteOnLength(text)].map(note => `${file}: note: ${note}`);
  if (isForBoard)
    warningsOfBoard(text, file, configuration, board!).forEach(complain);
  [...notes, ...notesOfBoard].forEach(complain);
  print(hide(describeConfiguration(configuration, board)));
  for (const { configuration: { topic }, name } of further)
    print(hide(`\n${describeRules(topic, ` of upstream "${name}"`)}`));
  const overflow = board === undefined ? undefined : findOverflow(configuration, board);
  if (overflow === undefined)
    return 0;
  complain(`${file}: ${overflow}`);
  return USAGE_ERROR;
}

export interface TopicOptions {
  readonly topic?: string | undefined;
  readonly user?: string | undefined;
  readonly anonymous?: boolean | undefined;
  readonly clientid?: string | undefined;
  readonly qos?: string | undefined;
}

export const asksForTopic = ({ anonymous, clientid, qos, user }: TopicOptions): boolean =>
  [anonymous, clientid, qos, user].some(option => option !== undefined);

/** Answers where a topic goes. @param board as for `check` */
export function showTopic(file: string, board: string | undefined, options: TopicOptions): number {
  const { anonymous, clientid = DEFAULT_CLIENT, qos = '1', topic, user } = options;
  if (topic === undefined)
    return misused('--user, --anonymous, --clientid and --qos are about a topic; write --topic TOPIC as well');
  if (anonymous === true && user !== undefined)
    return misused('write either --user or --anonymous');
  if (!/^[012]$/.test(qos))
    return misused(`there is no QoS "${qos}"; write 0, 1 or 2`);
  const { configuration, errors, further = [], hide = asIs } =
    loadFor(hasSeveralUpstreams(file) ? undefined : board, file);
  errors.forEach(complain);
  if (configuration === undefined)
    return USAGE_ERROR;
  const question = { topic, user: anonymous === true ? null : user, clientid, qos: Number(qos) };
  const { error, report } = reportTopic(configuration, question);
  if (report === undefined)
    return misused(hide(error!));
  print(hide(report));
  for (const part of further)
    print(hide(`\n${reportFurther(part, question)}`));
  return 0;
}

const asIs = (text: string): string => text;

/** Which only a computer has. */
const hasSeveralUpstreams = (file: string): boolean => (loadConfiguration(file).further?.length ?? 0) > 0;

/** The defaults of a board, or of a computer. */
const loadFor = (board: string | undefined, file: string): LoadedConfiguration =>
  board === undefined ? loadConfiguration(file) : loadConfiguration(file, {});

/** Whether the page, or the next start, will put another file in its place. */
function isOnTrial(file: string): boolean {
  try {
    return beforeTrial(file) !== undefined;
  } catch {
    return false; // the mark is for its owner only
  }
}

/** Of a file that was read a moment ago. */
function textOf(file: string): string {
  const read = readText(file);
  return 'text' in read ? read.text : '';
}

