/**
 * Every limit of the HTTP server, and what comes when it is reached. They are few and fixed: whoever needs more has
 * no browser and no tool that we know.
 */

/** Bytes of the request line with its end; more: 414. The longest of a browser on our page has about 80. */
export const REQUEST_LINE_CAPACITY = 512;
/** Bytes of all header lines with their ends; more: 431. Browsers send 400 to 900. */
export const HEADER_CAPACITY = 2048;
/** Header lines; more: 431. */
export const MOST_HEADER_LINES = 40;
/** Empty lines in front of the request line that are overlooked; more: 400. */
export const MOST_EMPTY_LINES = 2;

/** Milliseconds from the connection to the end of the head; then 408, or nothing if nothing has come. */
export const HEAD_TIMEOUT = 10_000;
/** Milliseconds from the end of the head to the end of the body; then 408. */
export const BODY_TIMEOUT = 30_000;
/** Milliseconds in which a resource must have its answer; then 503. */
export const ANSWER_TIMEOUT = 30_000;
/** Milliseconds in which the client takes nothing of an answer or an event; then the connection is closed. */
export const STALL_TIMEOUT = 20_000;
/** Milliseconds for a whole answer, however little of it is taken at a time; then the connection is closed. */
export const SEND_TIMEOUT = 120_000;
/** Milliseconds in which what the client still sends is thrown away, so that it can read why it was refused. */
export const DRAIN_TIMEOUT = 2000;
/** Milliseconds after which a connection that has not said all yet may lose its place to another one. */
export const GRACE = 250;

/** Bytes of one piece of a body: each must fit what a socket can take when it is idle. */
export const PIECE_CAPACITY = 4096;
