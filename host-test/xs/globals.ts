/** What host.c gives to a program on XS that measures. */
import type { Engine } from './workloads.ts';

declare const feed: (bytes: Uint8Array) => void;
declare const socketRead: (view: Uint8Array) => number;
declare const socketWrite: (view: Uint8Array) => number;
declare const flashRead: (view: Uint8Array, offset: number) => void;
declare const flashWrite: (view: Uint8Array, offset: number) => void;
declare const flashErase: (start: number, end: number) => void;

export const host: Engine = { feed, socketRead, socketWrite, flashRead, flashWrite, flashErase };
