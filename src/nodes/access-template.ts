/**
 * A text of the configuration with the placeholders %u, the user name of a node, and %c, its Client Identifier, as in
 * Mosquitto's `pattern` lines and mount points. Taken apart at start, put together in the arena without allocating.
 *
 * What a node calls itself must not become a wildcard or a level of its own: a name with `+`, `#` or `/` in it fits no
 * placeholder. Knows neither rights nor sessions.
 */
import type { Arena } from '../bytes/arena.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { NUMBER_SIGN, PLUS, SLASH } from '../packet/topic.ts';

/** Kinds of parts. */
const TEXT = 0;
const USER_NAME = 1;
const CLIENT_IDENTIFIER = 2;

/** The node has no user name: nothing with %u is about it. */
export const NOT_ABOUT_THIS_NODE = -1;
/** The name of the node fits no placeholder. */
export const UNFIT_NAME = -2;

/** What placeholders stand for: a node; filled in again and again. */
export class NodeNames {
  userNameOffset = 0;
  /** 0: a node without user. */
  userNameLength = 0;
  identifierOffset = 0;
  identifierLength = 0;
}

export class Template {
  /** Whether it says the same for every node; then it lies at `offset`. */
  readonly isConstant: boolean;
  readonly offset: number;
  readonly length: number;
  private readonly arena: Arena;
  private readonly kinds: number[] = [];
  private readonly lengths: number[] = [];

  /** Longest text that can become of it. */
  static expandedLength(text: string, userNameCapacity: number, identifierCapacity: number): number {
    return lengthOfUTF8(text) + text.split('%u').length * userNameCapacity + text.split('%c').length * identifierCapacity;
  }

  /** @param offset of a region as long as the text */
  constructor(arena: Arena, offset: number, text: string) {
    this.arena = arena;
    this.offset = offset;
    let at = offset;
    text.split(/(%[uc])/).forEach(part => {
      if (part === '')
        return;
      const kind = part === '%u' ? USER_NAME : part === '%c' ? CLIENT_IDENTIFIER : TEXT;
      const end = kind === TEXT ? encodeUTF8(arena, at, part) : at;
      this.kinds.push(kind);
      this.lengths.push(end - at);
      at = end;
    });
    this.length = at - offset;
    this.isConstant = !this.kinds.some(kind => kind !== TEXT);
  }

  /** Writes the text for one node at `to`. @returns its length, NOT_ABOUT_THIS_NODE or UNFIT_NAME */
  expand(to: number, values: Readonly<NodeNames>): number {
    const { arena, kinds, lengths } = this;
    const start = to;
    let from = this.offset;
    for (let index = 0; index < kinds.length; ++index) {
      const kind = kinds[index]!;
      let source = from;
      let length = lengths[index]!;
      from += length;
      if (kind !== TEXT) {
        source = kind === USER_NAME ? values.userNameOffset : values.identifierOffset;
        length = kind === USER_NAME ? values.userNameLength : values.identifierLength;
        if (length === 0)
          return NOT_ABOUT_THIS_NODE;
        if (!isFit(arena, source, length))
          return UNFIT_NAME;
      }
      arena.bytes.copyWithin(to, source, source + length);
      to += length;
    }
    return to - start;
  }
}

function isFit(arena: Arena, offset: number, length: number): boolean {
  const { bytes } = arena;
  for (let at = offset; at < offset + length; ++at)
    if (bytes[at] === SLASH || bytes[at] === PLUS || bytes[at] === NUMBER_SIGN)
      return false;
  return true;
}
