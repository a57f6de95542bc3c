/**
 * Validates the text of a configuration against the schema while it reads it, in a fixed memory: a board must not
 * build the tree of a text that nobody has judged. A first pass looks at the grammar of JSON and stops at the first
 * error, a second one at the values and tells everything that is wrong, in the words of `ringbridge check`.
 * Afterwards `numberAt` and `countAt` say what the text asks for, so that the memory is computed before anything of
 * it is acquired.
 *
 * Knows the form of a configuration only; what must hold between its values is judged elsewhere.
 */
import { printable } from './json-characters.ts';
import { skipValue } from './json-places.ts';
import * as Token from './json-tokens.ts';
import { JSONTokens, type TextSource } from './json-tokens.ts';
import { ARRAY, BOOLEAN, INTEGER, NULL, NUMBER, OBJECT, SCHEMA_TABLE, type SchemaRow, STRING } from './schema-table.ts';
import { formatPath, isSecretKey, rowAt } from './schema-paths.ts';
import * as Words from './violation-words.ts';

export interface Violation {
  readonly line: number;
  readonly column: number;
  /** Empty: the whole file. */
  readonly path: string;
  readonly text: string;
}

/** Lists and objects within each other, in a text that is skipped too. */
const DEEPEST = 30;
/** `found` in a message is cut after so many characters. */
const LONGEST_FOUND = 20;

/** Stops the first pass; made once. */
const STOP = Object.freeze(new Error('the text is no JSON'));

export class Validator {
  violationCount = 0;
  /** Of each row of the table: how many values there were, and the last number. */
  readonly counts = new Uint16Array(SCHEMA_TABLE.length);
  readonly numbers = new Float64Array(SCHEMA_TABLE.length);
  private readonly tokens: JSONTokens;
  private readonly report: (violation: Violation) => void;
  /** Keys and indices of the value at hand. */
  private readonly steps: (string | number)[] = [];

  constructor(source: TextSource, report: (violation: Violation) => void) {
    this.tokens = new JSONTokens(source);
    this.report = report;
  }

  /** @returns whether the text has the form of a configuration; else it has been told why */
  validate(): boolean {
    try {
      this.checkGrammar();
    } catch (error) {
      if (error !== STOP)
        throw error;
      return false;
    }
    this.tokens.rewind();
    this.tokens.next();
    this.checkValue(0, this.tokens.line, this.tokens.column);
    return this.violationCount === 0;
  }

  /** The last number that stood at a path like `listener.port`, or `fallback`. */
  numberAt(path: string, fallback: number): number {
    const index = rowAt(path);
    return this.counts[index] === 0 ? fallback : this.numbers[index]!;
  }

  /** How many values stood at a path like `topic[]`. */
  countAt(path: string): number {
    return this.counts[rowAt(path)]!;
  }

  /** Lists and objects are bits: no memory grows with what is nested. */
  private checkGrammar(): void {
    const { tokens } = this;
    let kinds = 0;
    let depth = 0;
    this.next();
    if (tokens.kind === Token.END) {
      tokens.line = tokens.column = 1;
      this.stop(Words.EMPTY);
    }
    for (;;) {
      let isFirst = tokens.kind === Token.OPEN_BRACE || tokens.kind === Token.OPEN_BRACKET;
      if (isFirst) {
        if (++depth > DEEPEST)
          this.stop(Words.TOO_DEEP);
        kinds = kinds << 1 | (tokens.kind === Token.OPEN_BRACE ? 1 : 0);
      } else if (tokens.kind < Token.TEXT)
        this.stop(Words.VALUE_MISSING);
      this.next();
      while (depth > 0 && tokens.kind === ((kinds & 1) === 1 ? Token.CLOSE_BRACE : Token.CLOSE_BRACKET)) {
        kinds >>= 1;
        --depth;
        isFirst = false;
        this.next();
      }
      if (depth === 0) {
        if (tokens.kind !== Token.END)
          this.stop(Words.MORE_THAN_ONE);
        return;
      }
      this.goToEntry((kinds & 1) === 1, isFirst);
    }
  }

  /** To the next value of an object or a list that goes on. */
  private goToEntry(isObject: boolean, isFirst: boolean): void {
    const { tokens } = this;
    if (tokens.kind === Token.END)
      this.stop(isObject ? Words.BRACE_MISSING : Words.BRACKET_MISSING);
    if (tokens.kind === Token.COMMA) {
      if (isFirst)
        this.stop(Words.VALUE_MISSING);
      this.next();
      if (this.isAt(isObject ? Token.CLOSE_BRACE : Token.CLOSE_BRACKET))
        this.stop(Words.TRAILING_COMMA);
    } else if (!isFirst)
      this.stop(Words.COMMA_MISSING);
    if (!isObject)
      return;
    if (tokens.kind !== Token.TEXT)
      this.stop(Words.KEY_MISSING);
    this.next();
    if (!this.isAt(Token.COLON))
      this.stop(Words.COLON_MISSING);
    this.next();
  }

  private isAt(kind: number): boolean {
    return this.tokens.kind === kind;
  }

  private next(): void {
    const { tokens } = this;
    tokens.next();
    switch (tokens.fault) {
      case 0: break;
      case Token.NO_END: this.stop(Words.STRING_WITHOUT_END); break;
      case Token.WRONG_ESCAPE: this.stop(Words.INVALID_ESCAPE); break;
      case Token.CONTROL_CHARACTER: this.stop(Words.INVALID_CHARACTER); break;
      case Token.NOT_UTF8: this.stop(Words.INVALID_UTF8); break;
      default: this.stop(Words.INVALID_NUMBER);
    }
    if (tokens.kind === Token.SYMBOL)
      this.stop(Words.INVALID_SYMBOL);
    if (tokens.kind === Token.COMMENT)
      this.stop(Words.COMMENTED);
  }

  private stop(error: number): never {
    const { column, kind, line } = this.tokens;
    const found = kind === Token.END ? '' : this.tokens.beginning(LONGEST_FOUND);
    ++this.violationCount;
    this.report({ line, column, path: '', text: printable(Words.describeSyntax(error, found)) });
    throw STOP;
  }

  /** Judges the value that begins at the current token and goes to the token after it. */
  private checkValue(index: number, line: number, column: number): void {
    const row = SCHEMA_TABLE[index]!;
    const { tokens } = this;
    const type = typeOf(tokens);
    const isRight = row.types === 0 || (row.types & type) !== 0
      || type === NUMBER && (row.types & INTEGER) !== 0 && Number.isInteger(Number(tokens.text));
    ++this.counts[index]!;
    const isNumber = type === NUMBER && Number.isFinite(Number(tokens.text));
    if (type === NUMBER && !isNumber && (row.types & (INTEGER | NUMBER)) !== 0)
      this.tell(line, column, Words.describeRange(row, tokens.text));
    else if (!isRight)
      this.tell(line, column, Words.describeType(row, this.foundValue(type)));
    if (row.choices !== undefined)
      this.checkChoice(row, type, line, column);
    if (isRight && type === ARRAY)
      this.checkList(row, line, column);
    else if (isRight && type === OBJECT && row.keys !== undefined)
      this.checkObject(row, line, column);
    else {
      if (isRight && isNumber)
        this.checkNumber(row, index, line, column);
      if (isRight && type === STRING)
        this.checkText(row, line, column);
      skipValue(tokens);
    }
  }

  private checkChoice(row: SchemaRow, type: number, line: number, column: number): void {
    const { tokens } = this;
    const { choices } = row;
    const written = type === STRING ? JSON.stringify(tokens.text) : tokens.text;
    if (type === ARRAY || type === OBJECT || !tokens.isWhole || !choices!.includes(written))
      this.tell(line, column, Words.describeChoice(row, this.foundValue(type)));
  }

  private checkNumber(row: SchemaRow, index: number, line: number, column: number): void {
    const { text } = this.tokens;
    const value = this.numbers[index] = Number(text);
    if (Words.vanishes(text) || value < (row.minimum ?? -Infinity) || value > (row.maximum ?? Infinity))
      this.tell(line, column, Words.describeRange(row, text));
  }

  private checkText(row: SchemaRow, line: number, column: number): void {
    const { characterCount } = this.tokens;
    if (characterCount < (row.minLength ?? 0))
      this.tell(line, column, Words.describeShortness(row));
    if (characterCount > (row.maxLength ?? Infinity))
      this.tell(line, column, Words.describeLength(row));
  }

  private checkList(row: SchemaRow, line: number, column: number): void {
    const { steps, tokens } = this;
    let count = 0;
    tokens.next();
    while (tokens.kind !== Token.CLOSE_BRACKET) {
      if (tokens.kind === Token.COMMA)
        tokens.next();
      steps.push(count++);
      if (row.items === undefined)
        skipValue(tokens);
      else
        this.checkValue(row.items, tokens.line, tokens.column);
      steps.pop();
    }
    tokens.next();
    if (count < (row.minItems ?? 0) || count > (row.maxItems ?? Infinity))
      this.tell(line, column, Words.describeCount(row, count));
  }

  private checkObject(row: SchemaRow, line: number, column: number): void {
    const { steps, tokens } = this;
    const keys = row.keys!;
    let seen = 0;
    let seenAbove = 0; // of keys from 31 on
    tokens.next();
    while (tokens.kind !== Token.CLOSE_BRACE) {
      if (tokens.kind === Token.COMMA)
        tokens.next();
      const key = tokens.text;
      const at = tokens.isWhole ? keys.indexOf(key) : -1;
      const keyLine = tokens.line;
      const keyColumn = tokens.column;
      tokens.next(); // the colon
      tokens.next();
      steps.push(at < 0 ? key : keys[at]!);
      if (at < 0) {
        this.tell(keyLine, keyColumn, Words.describeUnknownKey(key, row));
        skipValue(tokens);
      } else {
        const bit = 1 << at % 31;
        if (((at < 31 ? seen : seenAbove) & bit) !== 0)
          this.tell(keyLine, keyColumn, Words.REPETITION);
        if (at < 31)
          seen |= bit;
        else
          seenAbove |= bit;
        this.checkValue(row.first! + at, keyLine, keyColumn);
      }
      steps.pop();
    }
    tokens.next();
    row.required?.forEach(key => {
      const at = keys.indexOf(key);
      if (((at < 31 ? seen : seenAbove) & 1 << at % 31) === 0)
        this.tell(line, column, Words.describeAbsence(key));
    });
  }

  private foundValue(type: number): Words.FoundValue {
    return { type, text: this.tokens.text, isSecret: isSecretKey(this.steps[this.steps.length - 1]) };
  }

  private tell(line: number, column: number, text: string): void {
    ++this.violationCount;
    this.report({ line, column, path: printable(formatPath(this.steps)), text: printable(text) });
  }
}

function typeOf({ kind }: JSONTokens): number {
  switch (kind) {
    case Token.TEXT: return STRING;
    case Token.DIGITS: return NUMBER;
    case Token.OPEN_BRACE: return OBJECT;
    case Token.OPEN_BRACKET: return ARRAY;
    case Token.WORD_NULL: return NULL;
    default: return BOOLEAN;
  }
}
