/** The status of a gateway for a person: as a line, and as a frame for a terminal. Pure functions. */
import type { Status } from '../gateway/status.ts';
import { barOf, countOf, durationOf, EMPTY, heading, label, type Line, nextOf, pad, paintAll, type ViewSize,
  widthOf } from './frame.ts';
import { printable } from './log.ts';

const WIDEST_NAME = 40;
/** Lines of a list that are shown, at least. */
const FEW = 3;

export const describeStore = ({ bytes, capacity, count, dropped }: Status['store']): string =>
  `store: ${bytes} of ${capacity} bytes, ${count} messages, ${dropped} dropped`;

/** The same line as the demo's, as far as the gateway itself knows it. */
export function describeStatus({ counters, nodes, store, upstream }: Status): string {
  const connected = nodes.filter(node => node.connected).length;
  return printable(`upstream: ${upstream.state}; nodes: ${connected} of ${nodes.length}; ${describeStore(store)}; `
    + `broker: ${counters.acceptedForUpstream} accepted, ${counters.sentUpstream} sent`);
}

export function renderStatus(status: Status, size: ViewSize): string {
  const head = linesOfHead(status);
  const keys: Line = [['  q: quit', 'bold']];
  const lists = [linesOfNodes(status), linesOfRules(status), linesOfSensors(status)].filter(list => list.length > 1);
  const share = Math.max(FEW, Math.floor((size.rows - head.length - 1) / Math.max(lists.length, 1)) - 2);
  return paintAll([...head, ...lists.flatMap(list => [EMPTY, ...shorten(list, share)]), EMPTY, keys], size);
}

/** @param list with its heading */
const shorten = ([title, ...lines]: readonly Line[], most: number): Line[] =>
  [lines.length > most ? heading(title![0]![0], lines.length - most) : title!, ...lines.slice(0, most)];

function linesOfHead(status: Status): Line[] {
  const { advice, counters, listener, name, quarantine, store, time, upstream, uptime, version } = status;
  const isUp = upstream.state === 'connected';
  const fill = store.capacity === 0 ? 0 : store.bytes / store.capacity;
  const when = time === null ? '' : `, ${new Date(time * 1000).toTimeString().slice(0, 8)}`;
  return [
    [['Ringbridge ', 'bold'], [`${version}, gateway "${name}", up ${durationOf(uptime)}${when}`]],
    [[advice, isUp ? store.dropped > 0 ? 'careful' : 'good' : 'bad']],
    EMPTY,
    [label('upstream'), [upstream.state, isUp ? 'good' : 'bad'], [`${nextOf(upstream)}, ${upstream.address}`]],
    ...listener.problem === null ? [] : [[label('listener'), ['not open', 'bad'] as const, [`: ${printable(listener.problem)}`] as const]],
    [label('messages'), [`${counters.receivedFromNodes} from nodes, ${counters.acceptedForUpstream} accepted for the broker, `
      + `${counters.sentUpstream} sent; ${counters.receivedFromUpstream} from the broker`]],
    [label('store'), [barOf(fill), fill > 0.5 ? 'bad' : store.count > 0 ? 'careful' : 'dim'],
      [` ${store.bytes} of ${store.capacity} bytes ${store.durable ? 'of the file' : 'of memory, lost at a restart'}, `
        + `${countOf(store.count, 'message')}${store.oldest === null ? '' : `, the oldest ${durationOf(store.oldest)}`}, `],
      [`${store.dropped} dropped`, store.dropped > 0 ? 'bad' : undefined]],
    ...quarantine.count === 0 ? []
      : [[label('set aside'), [countOf(quarantine.count, 'message'), 'careful'] as const]],
  ];
}

const nameWidth = (names: readonly string[]): number =>
  Math.min(WIDEST_NAME, Math.max(4, ...names.map(name => widthOf(printable(name)))));

function linesOfNodes({ nodes, time }: Status): Line[] {
  const width = nameWidth(nodes.map(({ identifier }) => identifier));
  return [heading('NODES', 0), ...nodes.map(({ address, connected, identifier, lastSeen, queuedBytes, queuedMessages, since, user, version }): Line => [
    [connected ? '  ● ' : '  ○ ', connected ? 'good' : 'dim'], [`${pad(printable(identifier), width)} `],
    [`${connected ? `connected, ${version}` : 'away'}${user === null ? '' : `, user ${printable(user)}`}`
      + `${address === null ? '' : ` from ${address}`}${since === null || time === null ? '' : `, for ${durationOf(time - since)}`}`],
    [lastSeen === null || time === null || !connected ? '' : `, last seen ${durationOf(time - lastSeen)} ago`, 'dim'],
    [queuedMessages === 0 ? '' : `, ${countOf(queuedMessages, 'message')} waiting (${queuedBytes} bytes)`, 'careful'],
  ])];
}

function linesOfRules({ rules }: Status): Line[] {
  const width = nameWidth(rules.map(({ local }) => local));
  return [heading('RULES: accepted, dropped, refused', 0),
    ...rules.map(({ direction, dropped, forwarded, local, refused, remote }): Line => [
      [`  ${pad(printable(local), width)} `], [direction === 'out' ? '──► ' : '◄── ', 'dim'],
      [`${printable(remote)}  `], [`${forwarded}, ${dropped}, ${refused}`, dropped + refused > 0 ? 'bad' : 'dim'],
    ])];
}

function linesOfSensors({ sensors }: Status): Line[] {
  const width = nameWidth(sensors.map(({ topic }) => topic));
  return [heading('SENSORS', 0), ...sensors.map(({ fault, topic, value, works }): Line => [
    [`  ${pad(printable(topic), width)} `], [value === null ? 'no reading yet' : String(value), 'bold'],
    [works ? '' : fault === null ? '  fails' : `  fails: ${printable(fault)}`, 'bad'],
  ])];
}
