/** What a path stands for, and who may see it: the part of the page that is not HTTP. */
import type { Content } from './content.ts';
import type { RequestHead } from './request-head.ts';

/** A request and its answer. One object serves one connection after the other: keep `ticket` with it. */
export interface Exchange {
  readonly head: RequestHead;
  /** Another number for each connection: whoever answers late compares it first. */
  readonly ticket: number;
  /** Of the client, where the platform tells. */
  readonly remoteAddress: string | undefined;
  /** The answer; one for each request, ignored when it comes too late. A HEAD gets its head only. */
  answer(status: number, content: Content): void;
  /** The same with a sentence of status-codes.ts in place of a content. */
  refuse(status: number): void;
  /**
   * One more event, after an answer that is endless.
   * @returns false when the last one has not been taken yet: this one is left out
   */
  sendEvent(pieces: readonly Uint8Array[]): boolean;
  /** The verdict of a gate that needed time; ignored when it comes too late. @param status 0: go on */
  decide(status: number): void;
  /** No more events. */
  close(): void;
}

export interface Resource {
  readonly path: string;
  /** Bits of request-head.ts; HEAD is one of them where GET is. */
  readonly methods: number;
  /** Whether it is for everybody: what a browser needs to ask for the password. */
  readonly isPublic: boolean;
  /** Bytes of the longest body; more: 413. */
  readonly bodyCapacity: number;
  /** Events are endless: a few places are kept for others. */
  readonly isEndless: boolean;
  /** The body begins; only for PUT and POST. */
  begin?(exchange: Exchange): void;
  /** A part of the body, valid during the call. */
  receive?(exchange: Exchange, bytes: Uint8Array, from: number, to: number): void;
  /** All is there: answer now or later. */
  respond(exchange: Exchange): void;
  /** The connection of an endless answer is over. */
  closed?(exchange: Exchange): void;
}

/** In place of a status: `Exchange.decide` brings it. */
export const PENDING = -1;

export interface Gate {
  /** @returns 0 when the request may go on, else the status of the refusal, or PENDING */
  judge(exchange: Exchange, resource: Resource): number;
}

export interface Site {
  readonly resources: readonly Resource[];
  readonly gate: Gate;
  /** Names of this computer or board in lower case, beside its addresses. */
  readonly hosts: readonly string[];
  /** Whether TLS is spoken below, so that the page is at https://. */
  readonly isSecure?: boolean;
}
