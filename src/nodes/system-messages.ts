/** Figures of the gateway as messages: their topics under `$SYS/broker/`, and their values in digits. */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { MAXIMUM_DECIMAL_LENGTH, writeDecimal, writeDigits } from '../bytes/decimal.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { PlainSpans } from '../packet/packet.ts';
import { WINDOW_COUNT, WINDOWS } from './load-averages.ts';
import { FIGURES, LOADS } from './system-figures.ts';

/** The same as in package.json; a test compares them. */
export const VERSION = '0.1.0';

const PREFIX = '$SYS/broker/';
const SPOKEN_VERSION = `ringbridge version ${VERSION}`;
const SECONDS = ' seconds';
const UNIT = 'min';
/** Of the minutes of a load, with their unit. */
const LONGEST_WINDOW = 5;

/** Topics; those of figures come next, those of loads last. */
const VERSION_TOPIC = 0;
export const UPTIME = 1;
export const FIRST_FIGURE = 2;
const NAMES: readonly string[] = Object.freeze(['version', 'uptime']);

export class SystemMessages {
  /** The one at hand. */
  readonly message = new PlainSpans();
  private readonly arena: Arena;
  /** Of each name, and of their end. */
  private readonly nameOffsets: Uint32Array;
  private readonly versionOffset: number;
  private readonly versionLength: number;
  private readonly secondsOffset: number;
  private readonly unitOffset: number;
  private readonly figureOffset: number;
  /** Names are put together after the prefix; see `message`. */
  private readonly prefixEnd: number;
  private readonly nameCount: number;

  static plan(plan: ArenaPlan): number {
    const lengths = [...NAMES, ...[...FIGURES, ...LOADS].map(({ name }) => name)].map(lengthOfUTF8);
    const length = lengths.reduce((sum, each) => sum + each, lengthOfUTF8(PREFIX + SPOKEN_VERSION + SECONDS + UNIT));
    const longest = lengths.reduce((most, each) => Math.max(most, each), 0);
    return plan.reserve('$SYS topics', length + longest + LONGEST_WINDOW + MAXIMUM_DECIMAL_LENGTH + SECONDS.length);
  }

  /**
   * @param offset what `plan` returned
   * @param names of figures, and the beginnings of those of loads
   * @param nameCount topics that are no loads
   */
  constructor(arena: Arena, offset: number, names: readonly string[], nameCount: number) {
    this.arena = arena;
    this.nameCount = nameCount;
    this.nameOffsets = new Uint32Array(NAMES.length + names.length + 1);
    [...NAMES, ...names].forEach((name, index) => {
      this.nameOffsets[index] = offset;
      offset = encodeUTF8(arena, offset, name);
    });
    this.nameOffsets[NAMES.length + names.length] = offset;
    this.versionOffset = offset;
    this.secondsOffset = encodeUTF8(arena, offset, SPOKEN_VERSION);
    this.versionLength = this.secondsOffset - offset;
    this.unitOffset = encodeUTF8(arena, this.secondsOffset, SECONDS);
    this.figureOffset = encodeUTF8(arena, this.unitOffset, UNIT);
    this.message.topicNameOffset = this.figureOffset + MAXIMUM_DECIMAL_LENGTH + SECONDS.length;
    this.prefixEnd = encodeUTF8(arena, this.message.topicNameOffset, PREFIX);
  }

  /** Names the topic of the message at hand. */
  name(topic: number): void {
    const { arena, message, nameCount } = this;
    const load = topic - nameCount;
    const name = load < 0 ? topic : nameCount + (load - load % WINDOW_COUNT) / WINDOW_COUNT;
    const offset = this.nameOffsets[name]!;
    const length = this.nameOffsets[name + 1]! - offset;
    arena.bytes.copyWithin(this.prefixEnd, offset, offset + length);
    let end = this.prefixEnd + length;
    if (load >= 0) {
      end = writeDigits(arena.bytes, end, WINDOWS[load % WINDOW_COUNT]!, 1);
      arena.bytes.copyWithin(end, this.unitOffset, this.figureOffset);
      end += this.figureOffset - this.unitOffset;
    }
    message.topicNameLength = end - message.topicNameOffset;
  }

  /** The value of the topic that has been named; of a load in hundredths. */
  compose(topic: number, value: number): PlainSpans {
    const { message } = this;
    message.retain = 0;
    if (topic === VERSION_TOPIC) {
      message.payloadOffset = this.versionOffset;
      message.payloadLength = this.versionLength;
      return message;
    }
    const { arena, figureOffset } = this;
    let end: number;
    if (topic >= this.nameCount)
      end = writeDecimal(arena, figureOffset, value / 100, 2);
    else
      end = value < 0 ? writeDecimal(arena, figureOffset, value, 0) : writeDigits(arena.bytes, figureOffset, value, 1);
    if (topic === UPTIME) {
      arena.bytes.copyWithin(end, this.secondsOffset, this.unitOffset);
      end += this.unitOffset - this.secondsOffset;
    }
    message.payloadOffset = figureOffset;
    message.payloadLength = end - figureOffset;
    return message;
  }
}
