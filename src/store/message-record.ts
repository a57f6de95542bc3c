/** The record of a message (README.md), written into and read from the staging area. */
import type { Arena } from '../bytes/arena.ts';
import * as Format from './record-format.ts';
import { DONE, GIVEN_UP, MESSAGE_DOWN, type MessageFields, MOST_DESTINATIONS, RECEIVED, SETTLED,
  type StoredMessage } from './stored-message.ts';

/** A word that has not been programmed, as a signed number. */
const UNPROGRAMMED = -1;

/** @returns the identifier that the word of a mark names, 0 when it names none */
export function identifierOf(word: number): number {
  return (word >>> 16) + (word & 0xFFFF) === 0xFFFF ? word >>> 16 : 0;
}

export const wordOfIdentifier = (identifier: number): number => identifier << 16 | ~identifier & 0xFFFF;

/** Stages the head and the marks of a record. */
export function stageHead(arena: Arena, kind: number, marks: number, bodyLength: number): void {
  const { bytes, stagingOffset, view } = arena;
  view.setUint32(stagingOffset, Format.RECORD_MAGIC << 24 | kind << 16 | Format.KIND_VERSION << 8 | marks);
  view.setUint32(stagingOffset + Format.RECORD_BODY_LENGTH, bodyLength);
  bytes.fill(0xFF, stagingOffset + Format.RECORD_CHECKSUM, stagingOffset + Format.RECORD_MARKS + marks * Format.WORD);
}

/** Stages a whole message. @returns where its body begins in the record */
export function stageMessage(arena: Arena, message: MessageFields, destinationCount: number): number {
  const { bytes, stagingOffset, view } = arena;
  const { payloadLength, propertiesLength, topicNameLength } = message;
  const marks = Format.FIRST_DESTINATION + destinationCount * Format.MARKS_PER_DESTINATION;
  stageHead(arena, message.kind, marks, Format.MESSAGE_BODY + topicNameLength + propertiesLength + payloadLength);
  if (message.identifier !== 0)
    view.setInt32(stagingOffset + Format.RECORD_MARKS + Format.FIRST_DESTINATION * Format.WORD,
      wordOfIdentifier(message.identifier));
  const bodyOffset = Format.RECORD_MARKS + marks * Format.WORD;
  const body = stagingOffset + bodyOffset;
  view.setInt32(body, message.takenAt);
  view.setInt32(body + Format.DEADLINE, message.deadline);
  view.setInt32(body + Format.RULE, message.rule);
  view.setInt32(body + Format.ORIGIN, message.origin);
  view.setInt32(body + Format.ORIGIN_IDENTIFIER, message.originIdentifier << 16 | topicNameLength);
  view.setInt32(body + Format.FLAGS, (message.qos | message.retain << 2) << 24 | propertiesLength);
  let at = body + Format.MESSAGE_BODY;
  bytes.copyWithin(at, message.topicNameOffset, message.topicNameOffset + topicNameLength);
  at += topicNameLength;
  if (propertiesLength > 0)
    bytes.copyWithin(at, message.propertiesOffset, message.propertiesOffset + propertiesLength);
  at += propertiesLength;
  bytes.copyWithin(at, message.payloadOffset, message.payloadOffset + payloadLength);
  pad(arena, at + payloadLength);
  return bodyOffset;
}

/**
 * Makes a copy of the message record in the staging area: its marks as they are, and the place of its original.
 * @returns the length
 */
export function stageCopy(arena: Arena, original: StoredMessage): number {
  const { stagingOffset, view } = arena;
  const marks = Format.marksOf(original.destinationCount);
  const body = stagingOffset + Format.RECORD_MARKS + marks * Format.WORD;
  const end = original.payloadOffset + original.payloadLength;
  const isDown = original.kind === MESSAGE_DOWN;
  view.setInt32(stagingOffset + Format.RECORD_BODY_LENGTH, end + (isDown ? 0 : Format.COPY_LENGTH) - body);
  for (let mark = stagingOffset + Format.RECORD_MARKS; mark < body; mark += 4)
    repairMark(arena, mark, stagingOffset);
  repairIdentifier(arena, stagingOffset + Format.SPARE_IDENTIFIER);
  if (isDown) { // it has a place for that, so that a copy is never longer than its original
    view.setUint32(original.propertiesOffset + Format.DOWN_COPY, original.position);
    return pad(arena, end);
  }
  arena.bytes[body + Format.FLAGS]! |= Format.COPY_FLAG;
  view.setUint32(end, original.position);
  return pad(arena, end + Format.COPY_LENGTH);
}

/** A mark that is neither erased nor whole becomes what it means. */
function repairMark(arena: Arena, at: number, stagingOffset: number): void {
  const index = (at - stagingOffset - Format.RECORD_MARKS) / Format.WORD;
  const word = arena.view.getInt32(at);
  if (index === Format.RELEASED
    || (index - Format.FIRST_DESTINATION) % Format.MARKS_PER_DESTINATION !== Format.IDENTIFIER_MARK)
    arena.view.setInt32(at, Format.isMark(word) ? 0 : -1);
  else
    repairIdentifier(arena, at);
}

function repairIdentifier(arena: Arena, at: number): void {
  if (identifierOf(arena.view.getInt32(at)) === 0)
    arena.view.setInt32(at, -1);
}

/** Fills up to a whole word with zeros. @returns the length of what is staged */
export function pad(arena: Arena, end: number): number {
  const length = end - arena.stagingOffset + 3 & ~3;
  arena.bytes.fill(0, end, arena.stagingOffset + length);
  return length;
}

/**
 * @returns whether the record in the staging area, which is sound, is a message that can be read; `record` is that
 * then
 */
export function readMessage(arena: Arena, record: StoredMessage, marks: number, bodyLength: number): boolean {
  const { stagingOffset, view } = arena;
  const count = (marks - Format.FIRST_DESTINATION) / Format.MARKS_PER_DESTINATION;
  if (count < 1 || count > MOST_DESTINATIONS || bodyLength < Format.MESSAGE_BODY)
    return false;
  const body = stagingOffset + Format.RECORD_MARKS + marks * Format.WORD;
  const flags = arena.bytes[body + Format.FLAGS]!;
  record.isMapped = false;
  record.destinationCount = count;
  record.takenAt = view.getUint32(body);
  record.deadline = view.getUint32(body + Format.DEADLINE);
  record.rule = view.getInt32(body + Format.RULE);
  record.origin = view.getInt32(body + Format.ORIGIN);
  record.originIdentifier = view.getUint16(body + Format.ORIGIN_IDENTIFIER);
  record.qos = flags & 3;
  record.retain = flags >> 2 & 1;
  record.topicNameOffset = body + Format.MESSAGE_BODY;
  record.topicNameLength = view.getUint16(body + Format.TOPIC_LENGTH);
  record.propertiesOffset = record.topicNameOffset + record.topicNameLength;
  record.propertiesLength = view.getUint32(body + Format.FLAGS) & 0xFFFFFF;
  record.payloadOffset = record.propertiesOffset + record.propertiesLength;
  let end = body + bodyLength;
  if ((flags & Format.COPY_FLAG) !== 0)
    record.copyOf = view.getUint32(end -= Format.COPY_LENGTH);
  else if (record.kind === MESSAGE_DOWN && record.propertiesLength >= Format.DOWN_PROPERTIES)
    record.copyOf = view.getUint32(record.propertiesOffset + Format.DOWN_COPY);
  else
    record.copyOf = 0;
  record.payloadLength = end - record.payloadOffset;
  readMarks(arena, record);
  return record.payloadLength >= 0;
}

function readMarks(arena: Arena, record: StoredMessage): void {
  const { stagingOffset, view } = arena;
  const released = view.getInt32(stagingOffset + Format.RECORD_MARKS);
  record.isReleased = released !== UNPROGRAMMED && Format.isMark(released);
  for (let index = 0, at = stagingOffset + Format.RECORD_MARKS + Format.WORD; index < record.destinationCount;
    ++index, at += Format.MARKS_PER_DESTINATION * Format.WORD) {
    const identifier = view.getInt32(at);
    record.identifiers[index] = identifier === UNPROGRAMMED ? 0 : identifierOf(identifier);
    record.states[index] = stateOf(view.getInt32(at + Format.RECEIVED_MARK * Format.WORD),
      view.getInt32(at + Format.DONE_MARK * Format.WORD), view.getInt32(at + Format.GIVEN_UP_MARK * Format.WORD));
  }
  const spare = view.getInt32(stagingOffset + Format.SPARE_IDENTIFIER);
  if (spare !== UNPROGRAMMED && record.identifiers[0] === 0)
    record.identifiers[0] = identifierOf(spare);
}

const stateOf = (received: number, done: number, givenUp: number): number =>
  (received & done & givenUp) === UNPROGRAMMED ? 0
    : (Format.isMark(received) ? RECEIVED : 0) | (Format.isMark(done) ? DONE : 0)
      | (Format.isMark(givenUp) ? GIVEN_UP : 0);

/** Its block is given up: so is it, where it is not done. */
export function giveUpAll(record: StoredMessage): void {
  for (let index = 0; index < record.destinationCount; ++index)
    if ((record.states[index]! & SETTLED) === 0)
      record.states[index]! |= GIVEN_UP;
}
