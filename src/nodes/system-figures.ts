/** The figures under $SYS/broker/: their names, and where each comes from. */
import type { Arena } from '../bytes/arena.ts';
import type { Clock } from '../session/clock.ts';
import type { ServerRole } from '../session/server-role.ts';
import type { Delivery } from './delivery.ts';
import type { EndingCounts } from './disconnect-reasons.ts';
import type { NodeStates } from './node-states.ts';
import type { QueueTally } from './queue-tally.ts';
import type { RetainedMessages } from './retained.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Bytes that have come and gone over all network connections. */
export interface Traffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** The board as a machine, where somebody can ask it. */
export interface Machine {
  /** Why it has started, and what ended the run before this one, in words. */
  readonly startText: string;
  /** Number of the reason, as ESP-IDF counts them (esp_reset_reason_t). */
  readonly resetReason: number;
  /** Since the power came. */
  readonly startCount: number;
  /** Bytes of the heap from which the network takes its memory: free, the least since the start, in one piece. */
  readonly heapFree: number;
  readonly heapMinimum: number;
  readonly heapLargest: number;
}

/** What waits for the Server and what was given up, wherever it is kept. */
export interface WaitingMessages {
  /** Messages that are kept until the Server has acknowledged them, those under way included. */
  readonly pendingCount: number;
  /** Bytes that are taken by them, and what is there in all. */
  readonly pendingLength: number;
  readonly capacity: number;
  /** Of the messages, those that no rule asks for any more. */
  readonly orphanCount: number;
  /** Messages that were dropped since the start, for whatever reason. */
  readonly givenUpCount: number;
  /** Of them, those that a storage has lost. */
  readonly unreadableCount: number;
  /** Messages of the Server that were too long. */
  readonly oversizeCount: number;
  readonly inflightCount: number;
  /** In the quarantine. */
  readonly quarantinedCount: number;
}

interface AdmissionFigures {
  readonly connectedCount: number;
  readonly maximumConnectedCount: number;
  readonly evictedCount: number;
  readonly expiredCount: number;
}

interface RouterFigures {
  readonly receivedCount: number;
  readonly heldCount: number;
}

/** Where the figures come from. */
export interface Figures {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly delivery: Delivery;
  readonly endings: EndingCounts;
  readonly nodes: NodeStates;
  readonly retained: RetainedMessages;
  readonly serverRole: ServerRole;
  readonly subscriptions: Subscriptions;
  readonly waiting: WaitingMessages;
  /** Of nodes. */
  readonly queues: QueueTally;
  readonly machine: Machine | undefined;
  readonly admission: AdmissionFigures;
  readonly router: RouterFigures;
  readonly deniedCount: number;
}

export interface Figure {
  /** After $SYS/broker/; of a load, what comes before the minutes over which it is averaged. */
  readonly name: string;
  readonly of: (figures: Figures, traffic: Traffic) => number;
  /** It is there only where the platform counts bytes. */
  readonly isTraffic?: true;
  /** It is there only where there is a machine. */
  readonly isMachine?: true;
}

const packetsReceived: Figure['of'] = ({ router, serverRole }) =>
  router.receivedCount + serverRole.receivedPacketCount;
const packetsSent: Figure['of'] = ({ delivery, serverRole }) => delivery.sentCount + serverRole.sentPacketCount;
const messagesReceived: Figure['of'] = ({ router }) => router.receivedCount;
const messagesSent: Figure['of'] = ({ delivery }) => delivery.sentCount;
const messagesDropped: Figure['of'] = ({ delivery }) => delivery.droppedCount;
const bytesReceived: Figure['of'] = (_figures, { receivedBytes }) => receivedBytes;
const bytesSent: Figure['of'] = (_figures, { sentBytes }) => sentBytes;

/** In the order in which they are sent; those that are not there everywhere come last. */
export const FIGURES: readonly Figure[] = Object.freeze([
  { name: 'clients/connected', of: ({ admission }) => admission.connectedCount },
  { name: 'clients/disconnected', of: ({ admission, nodes }) => nodes.knownCount - admission.connectedCount },
  { name: 'clients/total', of: ({ nodes }) => nodes.knownCount },
  { name: 'clients/maximum', of: ({ admission }) => admission.maximumConnectedCount },
  { name: 'messages/received', of: packetsReceived },
  { name: 'messages/sent', of: packetsSent },
  { name: 'publish/messages/received', of: messagesReceived },
  { name: 'publish/messages/sent', of: messagesSent },
  { name: 'publish/messages/dropped', of: messagesDropped },
  { name: 'subscriptions/count', of: ({ subscriptions }) => subscriptions.count },
  { name: 'retained messages/count', of: ({ retained }) => retained.count },
  { name: 'store/messages/count', of: ({ queues, retained, waiting }) => retained.count + waiting.pendingCount + queues.pending },
  { name: 'store/messages/bytes', of: ({ queues, retained, waiting }) =>
    retained.usedLength + waiting.pendingLength + queues.length },
  { name: 'messages/inflight', of: ({ queues, waiting }) => waiting.inflightCount + queues.inflight },
  { name: 'clients/expired', of: ({ admission }) => admission.evictedCount + admission.expiredCount },
  { name: 'clients/refused', of: ({ endings }) => endings.refusedCount + endings.turnedAwayCount },
  { name: 'clients/malformed', of: ({ endings }) => endings.brokenRuleCount },
  { name: 'messages/denied', of: ({ deniedCount }) => deniedCount },
  { name: 'messages/held', of: ({ router }) => router.heldCount },
  { name: 'bridge/messages/dropped', of: ({ waiting }) => waiting.givenUpCount },
  { name: 'bridge/messages/quarantined', of: ({ waiting }) => waiting.quarantinedCount },
  { name: 'heap/free', of: ({ machine }) => machine!.heapFree, isMachine: true },
  { name: 'heap/minimum', of: ({ machine }) => machine!.heapMinimum, isMachine: true },
  { name: 'heap/largest', of: ({ machine }) => machine!.heapLargest, isMachine: true },
  { name: 'starts', of: ({ machine }) => machine!.startCount, isMachine: true },
  { name: 'reset reason', of: ({ machine }) => machine!.resetReason, isMachine: true },
  { name: 'bytes/received', of: bytesReceived, isTraffic: true },
  { name: 'bytes/sent', of: bytesSent, isTraffic: true },
]);

/** Counts whose growth per minute is told, as a moving average. */
export const LOADS: readonly Figure[] = Object.freeze([
  { name: 'load/messages/received/', of: packetsReceived },
  { name: 'load/messages/sent/', of: packetsSent },
  { name: 'load/publish/received/', of: messagesReceived },
  { name: 'load/publish/sent/', of: messagesSent },
  { name: 'load/publish/dropped/', of: messagesDropped },
  { name: 'load/sockets/', of: ({ serverRole }) => serverRole.connectionCount },
  { name: 'load/bytes/received/', of: bytesReceived, isTraffic: true },
  { name: 'load/bytes/sent/', of: bytesSent, isTraffic: true },
]);
