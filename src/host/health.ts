/**
 * Whether a gateway does its work: what `GET /health` says to whoever watches it. The thresholds are far from what a
 * broker that restarts causes, so nobody is woken up for that.
 */
import type { Status } from '../gateway/status.ts';

/** Seconds without the broker. */
const LONGEST_ABSENCE = 120;
/** Seconds that a message may wait while the broker is there. */
const LONGEST_WAIT = 300;
/** Probes in a row (upstream.probe). */
const MOST_LOST = 3;
/** Part of the store that may be taken. */
const HIGHEST_FILL = 0.9;

export interface Health {
  readonly isWell: boolean;
  /** What is wrong, in words; empty if all is well. */
  readonly reasons: readonly string[];
}

/** @param absence seconds since the broker was there last, or since the start; 0 while it is there */
export function healthOf({ listener, store, upstream }: Status, isStoreWanted: boolean, absence: number): Health {
  const reasons: string[] = [];
  const isConnected = upstream.state === 'connected';
  if (!isConnected && absence > LONGEST_ABSENCE)
    reasons.push(`the broker has been away for ${Math.floor(absence)} seconds, ${LONGEST_ABSENCE} are the limit`);
  if (isConnected && store.oldest !== null && store.oldest > LONGEST_WAIT)
    reasons.push(`the broker is there, but a message has waited for ${store.oldest} seconds, ${LONGEST_WAIT} are the limit`);
  if (isConnected && upstream.probe !== null && upstream.probe.lost >= MOST_LOST)
    reasons.push(`connected, but nothing flows: ${upstream.probe.lost} probes in a row did not come back`);
  if (store.capacity > 0 && store.bytes > HIGHEST_FILL * store.capacity)
    reasons.push(`the store is full to ${Math.floor(100 * store.bytes / store.capacity)} %, ${HIGHEST_FILL * 100} are the limit`);
  if (listener.problem !== null)
    reasons.push(`no node can connect: ${listener.problem}`);
  if (isStoreWanted && !store.durable)
    reasons.push(store.inMemory === 0 ? 'the storage does not work: messages are kept in memory only'
      : `${store.inMemory} message${store.inMemory === 1 ? ' is' : 's are'} in memory only: the storage does not work, or has no room`);
  return { isWell: reasons.length === 0, reasons };
}
