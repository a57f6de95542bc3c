/**
 * Whether a configuration can be used on this board, before anything of what it asks for is acquired: its form, in a
 * fixed memory (config/validator.ts); what its lists would take, before the tree is built; what must hold between its
 * values; and the memory, exactly, by way of the limit of the arena.
 */
import config from 'mc/config';
import { hasBrokerHere } from 'board';
import {
  completeConfiguration, type Configuration, describeShortage, firmwareNeeds, objectNeeds, parseAddress,
  type PartialConfiguration, type TextSource, total, Validator,
} from './core.ts';
import { describeLoopback, isLoopback } from './loopback.ts';
import { describeError } from './log.ts';
import { readText } from './texts.ts';

export interface Judgement {
  /** Undefined when there are errors. */
  readonly configuration: Configuration | undefined;
  readonly errors: readonly string[];
  /** Bytes that there are for the arena. */
  readonly arenaLimit: number;
}

/** What must hold between values. */
export type FindErrors = (configuration: Configuration) => string[];

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

/** @param findErrors as for `judge` */
export function judgeStored(source: TextSource, findErrors: FindErrors): Judgement {
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
  const partial = JSON.parse(readText(source)) as PartialConfiguration & { $schema?: string };
  delete partial.$schema;
  return judge(partial, findErrors);
}

/** @param partial of the right form @param findErrors beside those of the memory */
export function judge(partial: PartialConfiguration, findErrors: FindErrors): Judgement {
  const configuration = completeConfiguration(partial);
  const errors = findErrors(configuration);
  const arenaLimit = boardMemory() - total(objectNeeds(configuration)) - total(firmwareNeeds(configuration));
  if (arenaLimit < 0)
    errors.push(describeLack(-arenaLimit));
  return errors.length > 0 ? refused(errors) : { configuration, errors, arenaLimit };
}

const refused = (errors: readonly string[]): Judgement => ({ configuration: undefined, errors, arenaLimit: 0 });

/** The default upstream is this computer, which is never the broker where this is a board. */
export function judgeAddresses({ upstream }: Configuration): string[] {
  const errors: string[] = [];
  upstream.address.forEach((address, index) => {
    const path = `upstream.address[${index}]`;
    try {
      if (!hasBrokerHere && isLoopback(parseAddress(address).host))
        errors.push(`${path}: ${describeLoopback(address)}`);
    } catch (error) {
      errors.push(`${path}: ${describeError(error)}`);
    }
  });
  return errors;
}
