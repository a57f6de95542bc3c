/**
 * One frame of the live view, as text: a pure function of what there is to show and of the size of the terminal. Never
 * longer than the terminal is high, no line as long as it is wide, so that nothing wraps or scrolls. Knows colours, but
 * moves no cursor.
 */
import type { LogLevel } from '../config/configuration.ts';
import type { Status } from '../gateway/status.ts';
import { barOf, countOf, durationOf, EMPTY, heading, label, type Line, nextOf, pad, paintAll, type Style,
  type ViewSize, widthOf } from '../host/frame.ts';
import { printable } from '../host/log.ts';

export interface ViewEvent {
  /** Of the day, for instance 12:34:56. */
  readonly time: string;
  readonly level: LogLevel;
  readonly text: string;
}

export interface ViewNode {
  readonly identifier: string;
  readonly version: string;
  readonly isConnected: boolean;
  readonly state: string;
}

export interface ViewTopic {
  readonly topic: string;
  readonly payload: string;
  readonly count: number;
  /** Seconds since the last message. */
  readonly age: number;
}

export interface View {
  readonly status: Status;
  /** Seconds since the start. */
  readonly uptime: number;
  /** host:port */
  readonly gateway: string;
  readonly broker: string;
  /** Messages per second: taken from nodes, let through by the topic rules, seen at the broker. */
  readonly rates: { readonly fromNodes: number; readonly forBroker: number; readonly atBroker: number };
  readonly brokerCount: number;
  readonly nodes: readonly ViewNode[];
  /** The most important one first. */
  readonly topics: readonly ViewTopic[];
  /** The latest one last. */
  readonly events: readonly ViewEvent[];
  readonly commands: readonly { readonly purpose: string; readonly command: string }[];
  readonly keys: string;
}

const EVENT_STYLES: Readonly<Record<LogLevel, Style | undefined>> =
  { debug: undefined, info: undefined, warning: 'careful', error: 'bad' };

const MOST_NODES = 8;
/** Fewer lines than this for topics and events together: the commands make room. */
const FEW_LINES = 5;

export function render(view: View, size: ViewSize): string {
  return paintAll(layOut(view, size.rows), size);
}

/** What is always there comes first; topics and events share the rest; blank lines only if all that is known fits. */
function layOut(view: View, rows: number): readonly Line[] {
  const head = linesOfHead(view);
  const nodes = linesOfNodes(view);
  const keys: Line = [[`  ${view.keys}`, 'bold']];
  let foot = [...linesOfCommands(view), keys];
  let rest = rows - head.length - nodes.length - foot.length - 2;
  if (rest < FEW_LINES) {
    foot = [keys];
    rest = rows - head.length - nodes.length - foot.length - 2;
  }
  const gap = rest - 4 >= view.topics.length + FEW_LINES ? [EMPTY] : [];
  rest -= gap.length * 4;
  const topicCount = Math.min(view.topics.length, Math.max(rest - 4, rest + 1 >> 1, 0));
  const topics = linesOfTopics(view, topicCount);
  const events = linesOfEvents(view, Math.max(rest - topicCount, 0));
  return [...head, ...gap, ...nodes, ...gap, ...topics, ...gap, ...events, ...gap, ...foot];
}

function linesOfHead({ broker, brokerCount, gateway, nodes, rates, status, uptime }: View): Line[] {
  const { advice, store, upstream } = status;
  const isUp = upstream.state === 'connected';
  const connected = nodes.filter(({ isConnected }) => isConnected).length;
  const fill = store.capacity === 0 ? 0 : store.bytes / store.capacity;
  return [
    [['Ringbridge ', 'bold'], [`gateway "${status.name}", up ${durationOf(uptime)}`]],
    [[advice, isUp ? store.dropped > 0 ? 'careful' : 'good' : 'bad']],
    [[`${countOf(status.sensors.length, 'sensor')}, ${connected} of ${countOf(nodes.length, 'node')} `],
      ['──► ', 'dim'], [`gateway ${gateway} `],
      isUp ? ['══► ', 'good'] : ['═╳ ► ', 'bad'], [`broker ${broker}`]],
    [label('upstream'), [upstream.state, isUp ? 'good' : 'bad'], [nextOf(upstream)]],
    [label('messages'),
      [`${rateOf(rates.fromNodes)} from nodes, ${rateOf(rates.forBroker)} for the broker; ${rateOf(rates.atBroker)} arrived, ${brokerCount} in all`]],
    [label('store'), [barOf(fill), fill > 0.5 ? 'bad' : store.count > 0 ? 'careful' : 'dim'],
      [` ${store.bytes} of ${store.capacity} bytes, ${countOf(store.count, 'message')}, `],
        [`${store.dropped} dropped`, store.dropped > 0 ? 'bad' : undefined]],
    ...linesOfRefusals(status),
  ];
}

/** Nothing as long as there is nothing to tell. */
function linesOfRefusals({ counters }: Status): Line[] {
  const parts = ([
    [counters.refused + counters.turnedAway, 'refused'], [counters.brokenRules, 'closed for broken rules'],
      [counters.denied, 'denied by acl'],
    [counters.held, 'held by rate'], [counters.evictedSessions, 'sessions evicted'],
      [counters.droppedForNodes, 'messages dropped'],
  ] as const).filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return parts.length === 0 ? [] : [[label('nodes'), [parts.join(', '), 'careful']]];
}

function linesOfNodes({ nodes }: View): Line[] {
  const shown = nodes.slice(0, MOST_NODES);
  const widths = [Math.max(...shown.map(({ identifier }) => widthOf(printable(identifier))), 4), 11] as const;
  return [
    heading('NODES', nodes.length - shown.length),
    ...shown.map(({ identifier, isConnected, state, version }): Line => [
      [isConnected ? '  ● ' : '  ○ ', isConnected ? 'good' : 'bad'],
      [`${pad(printable(identifier), widths[0])} ${pad(version, widths[1])} `],
      [state, isConnected ? undefined : 'careful'],
    ]),
  ];
}

function linesOfTopics({ topics }: View, count: number): Line[] {
  const shown = topics.slice(0, count);
  const width = Math.min(Math.max(...shown.map(({ topic }) => widthOf(printable(topic))), 10), 40);
  return [
    heading('AT THE BROKER: last value, messages, age', topics.length - shown.length),
    ...shown.map(({ age, count: messages, payload, topic }): Line => [
      [`  ${pad(printable(topic), width)} `],
      [pad(printable(payload), 16), 'bold'],
      [`${String(messages).padStart(6)}  ${Math.round(age)} s`, 'dim'],
    ]),
  ];
}

function linesOfEvents({ events }: View, count: number): Line[] {
  const lines = count === 0 ? []
    : events.slice(-count).map(({ level, text, time }): Line => [[`  ${time} `, 'dim'], [text, EVENT_STYLES[level]]]);
  while (lines.length < count)
    lines.push(EMPTY);
  return [heading('EVENTS', 0), ...lines];
}

function linesOfCommands({ commands }: View): Line[] {
  const width = Math.max(0, ...commands.map(({ purpose }) => purpose.length));
  return commands.map(({ command, purpose }): Line => [[`  ${purpose.padEnd(width)} `, 'dim'], [command]]);
}

const rateOf = (rate: number): string => `${rate.toFixed(1)}/s`;
