/**
 * What an answer brings: header lines and the pieces of a body, all of them bytes that are made before the answer
 * begins, so that sending allocates nothing. The pages are made once; what is made for one request is thrown away.
 */
import { PIECE_CAPACITY } from './http-limits.ts';
import { asciiOf } from './field-names.ts';

/** In place of a length: events, until somebody ends the connection. */
export const ENDLESS = -1;

export interface Content {
  /** Header lines with their ends, beside those that every answer has. */
  readonly head: Uint8Array;
  /** Bytes of all pieces; ENDLESS for events. */
  readonly length: number;
  /** None is empty, and none longer than PIECE_CAPACITY. */
  readonly pieces: readonly Uint8Array[];
  /** With its quotes; of no length when there is none. */
  readonly etag: Uint8Array;
  /** The same for clients that do not take gzip; undefined when this one is not compressed, or there is no other. */
  readonly plain?: Content | undefined;
}

/** Bytes of the header lines of a content. */
export const CONTENT_HEAD_CAPACITY = 640;

const NO_BYTES = new Uint8Array(0);
const NO_PIECES: readonly Uint8Array[] = Object.freeze([]);

/** Views of `body`, each of a length that a socket takes at once. */
function piecesOf(body: Uint8Array): readonly Uint8Array[] {
  if (body.length === 0)
    return NO_PIECES;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += PIECE_CAPACITY)
    pieces.push(body.subarray(at, at + PIECE_CAPACITY));
  return pieces;
}

/**
 * @param lines header lines without their ends
 * @param etag with its quotes; it becomes a header line too
 * @throws RangeError when the header lines are too long
 */
export function contentOf(lines: readonly string[], body: Uint8Array, etag = ''): Content {
  const head = headOf(etag === '' ? lines : [...lines, `ETag: ${etag}`]);
  return { head, length: body.length, pieces: piecesOf(body), etag: etag === '' ? NO_BYTES : asciiOf(etag) };
}

/** What opens a stream of Server-Sent Events. @param first what is sent at once */
export const eventsOf = (lines: readonly string[], first: Uint8Array): Content =>
  ({ head: headOf(lines), length: ENDLESS, pieces: piecesOf(first), etag: NO_BYTES });

function headOf(lines: readonly string[]): Uint8Array {
  const head = asciiOf(lines.map(line => `${line}\r\n`).join(''));
  if (head.length > CONTENT_HEAD_CAPACITY)
    throw new RangeError(`header lines of ${head.length} bytes: ${CONTENT_HEAD_CAPACITY} is the limit`);
  return head;
}
