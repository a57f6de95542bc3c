/**
 * Whether a configuration can be used on this board, before anything of what it asks for is acquired: its form, in a
 * fixed memory (config/validator.ts); what its lists would take, before the tree is built; what must hold between its
 * values (rules/); and the memory, exactly, by way of the limit of the arena. All of it in the words of `ringbridge
 * check`.
 */
import config from 'mc/config';
import { hasBrokerHere } from 'board';
import {
  completeConfiguration, type Configuration, describeShortage, type Finding, firmwareNeeds, formatPath, judgeAddresses,
  judgeConfiguration, judgeSecrets, objectNeeds, type PartialConfiguration, placeOf, printable, type TextSource, total,
  Validator,
} from './core.ts';
import { readText } from './texts.ts';

export interface Judgement {
  /** Undefined when there are errors. */
  readonly configuration: Configuration | undefined;
  readonly errors: readonly string[];
  /** Bytes that there are for the arena. */
  readonly arenaLimit: number;
}

type WrittenConfiguration = PartialConfiguration & { $schema?: string };

/** Lines that are told of one configuration. */
const MOST_ERRORS = 8;

/** The tree of these is as large as the file wants. */
const LISTS: readonly string[] = Object.freeze(['topic[]', 'sensors[]', 'listener.users[]', 'listener.acl[]']);
/** Bytes that an entry of a list takes with its defaults, at least. */
const ENTRY = 200;
/** Bytes for what is beside the lists. */
const READING_ROOM = 8192;

/** What `config` of the manifest grants the program; a number, or from mcconfig's command line a text. */
const boardMemory = (): number => config.board_memory === undefined ? Infinity : Number(config.board_memory);

export const describeLack = (missing: number): string => describeShortage(missing, String(config.board ?? 'simulator'));

/**
 * @param written the tree of the text, where there is one already
 * @param isBuiltIn its upstream may be this board itself: the resolver says what to write, and the rest works
 */
export function judgeText(source: TextSource, isBuiltIn: boolean, written?: WrittenConfiguration): Judgement {
  const errors: string[] = [];
  const validator = new Validator(source, ({ column, line, path, text }) => {
    if (errors.length < MOST_ERRORS)
      errors.push(`${line}:${column}: ${path === '' ? '' : `${path}: `}${text}`);
  });
  if (!validator.validate())
    return refused(errors);
  const entries = LISTS.reduce((sum, path) => sum + validator.countAt(path), 0);
  const missing = entries * ENTRY + 2 * source.length + READING_ROOM - boardMemory();
  if (missing > 0)
    return refused([describeLack(missing)]);
  const partial = { ...written ?? JSON.parse(readText(source)) as WrittenConfiguration };
  delete partial.$schema;
  const configuration = completeConfiguration(partial);
  const findings = findErrors(configuration, partial, isBuiltIn);
  if (findings.length > 0)
    return refused(describe(findings, source));
  const arenaLimit = boardMemory() - total(objectNeeds(configuration)) - total(firmwareNeeds(configuration));
  return arenaLimit < 0 ? refused([describeLack(-arenaLimit)]) : { configuration, errors, arenaLimit };
}

/** Those that a computer finds too come first: what holds on a board only is asked of what can be used at all. */
function findErrors(
  configuration: Configuration, written: PartialConfiguration, isBuiltIn: boolean,
): readonly Finding[] {
  const findings = judgeConfiguration(configuration, written);
  if (findings.length > 0)
    return findings;
  return hasBrokerHere || isBuiltIn ? judgeSecrets(configuration)
    : [...judgeAddresses(configuration), ...judgeSecrets(configuration)];
}

/** In the order of the text. */
function describe(findings: readonly Finding[], source: TextSource): string[] {
  return findings.map(({ path, text }) => ({ path, text, place: placeOf(source, path) }))
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .slice(0, MOST_ERRORS)
    .map(({ path, place, text }) =>
      printable(`${place.line}:${place.column}: ${path.length === 0 ? '' : `${formatPath(path)}: `}${text}`));
}

const refused = (errors: readonly string[]): Judgement => ({ configuration: undefined, errors, arenaLimit: 0 });
