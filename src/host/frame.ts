/**
 * Parts of a live view: spans of text with a style, lines of them that fit the terminal, words for figures. Knows
 * colours, but moves no cursor.
 */
import type { Status } from '../gateway/status.ts';
import { printable } from './log.ts';

export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

export type Style = 'bold' | 'dim' | 'good' | 'careful' | 'bad';
type Span = readonly [text: string, style?: Style | undefined];
export type Line = readonly Span[];

const ESCAPES: Readonly<Record<Style, string>> =
  { bold: '\x1b[1m', dim: '\x1b[2m', good: '\x1b[32m', careful: '\x1b[33m', bad: '\x1b[31m' };
const RESET = '\x1b[0m';

const BAR_LENGTH = 20;
const LABEL_LENGTH = 10;
export const EMPTY: Line = [];

export const heading = (text: string, hidden: number): Line =>
  [[text, 'bold'], [hidden > 0 ? `  (${hidden} more)` : '', 'dim']];

export const label = (text: string): Span => [text.padEnd(LABEL_LENGTH), 'dim'];

export const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What the connection to the broker waits for. */
export function nextOf({ next, nextAttemptIn, reason, state }: Status['upstream']): string {
  if (state === 'connected')
    return `, ${next}`;
  return `${nextAttemptIn === null ? '' : ` in ${nextAttemptIn} s`}${reason === null ? '' : ` (${reason})`}`;
}

/** Not empty as long as something is there. */
export function barOf(fill: number): string {
  const full = Math.min(Math.ceil(fill * BAR_LENGTH), BAR_LENGTH);
  return '█'.repeat(full) + '░'.repeat(BAR_LENGTH - full);
}

/** 3725 to 1:02:05. */
export function durationOf(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}


/** Rather too wide than too narrow: a line that wraps would spoil the frame. */
function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0)!;
  return code < 0x1100 || code >= 0x2010 && code < 0x2b00 ? 1 : 2;
}

export function widthOf(text: string): number {
  let width = 0;
  for (const character of text)
    width += widthOfCharacter(character);
  return width;
}

/** The beginning of a text that is at most so wide; an ellipsis tells of the rest. */
function cut(text: string, width: number): string {
  if (widthOf(text) <= width)
    return text;
  let kept = '';
  let left = width - 1;
  for (const character of text) {
    left -= widthOfCharacter(character);
    if (left < 0)
      break;
    kept += character;
  }
  return width < 1 ? '' : `${kept}…`;
}

/** Exactly so wide. */
export function pad(text: string, width: number): string {
  const kept = cut(text, width);
  return kept + ' '.repeat(Math.max(width - widthOf(kept), 0));
}

function paint(line: Line, { colour, columns }: ViewSize): string {
  let left = Math.max(columns - 1, 0); // in the last column some terminals wrap at once, some later
  let painted = '';
  for (const [raw, style] of line) {
    const text = printable(raw);
    const kept = cut(text, left);
    left -= widthOf(kept);
    painted += colour && style !== undefined && kept !== '' ? ESCAPES[style] + kept + RESET : kept;
    if (kept !== text)
      break;
  }
  return painted.trimEnd();
}

/** As many of the lines as the terminal is high. */
export const paintAll = (lines: readonly Line[], size: ViewSize): string =>
  lines.slice(0, Math.max(size.rows, 0)).map(line => paint(line, size)).join('\n');
