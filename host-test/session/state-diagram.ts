/**
 * The picture of the CONNECT/CONNACK state machine that stands in src/session/CONNECT-RULES.md, drawn from the
 * machine itself.
 */
import * as ControlPacket from '../../src/packet/control-packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { afterConnack, CLIENT, CLOSED, CONNECTED, CONNECTING, legalTypes, OPENED, SERVER,
  STATE_NAMES } from '../../src/session/connection-state.ts';

const SENDER_NAMES = ['Client', 'Server'];
const TYPE_COUNT = 16;

export const ILLEGAL = -1;

/** Where the types lead that lead anywhere, a CONNACK if it accepts. */
const LEADS_TO: Readonly<Record<number, number>> = {
  [ControlPacket.CONNECT]: CONNECTING, [ControlPacket.CONNACK]: CONNECTED, [ControlPacket.DISCONNECT]: CLOSED,
};

/** @returns the state after `sender` has sent a packet of `type`, or ILLEGAL. For CONNACK see `afterConnack`. */
export const nextState = (state: number, sender: number, type: number): number =>
  (legalTypes(state, sender) >> type & 1) === 0 ? ILLEGAL : LEADS_TO[type] ?? state;

/** A Mermaid stateDiagram-v2 of `nextState` and `afterConnack`; ends with a line break. */
export function stateDiagram(): string {
  const lines = ['stateDiagram-v2', `    [*] --> ${STATE_NAMES[OPENED]}: network connection`];
  for (let state = 0; state < STATE_NAMES.length; ++state)
    for (const sender of [CLIENT, SERVER])
      for (const [label, next] of transitions(state, sender))
        lines.push(`    ${STATE_NAMES[state]} --> ${STATE_NAMES[next]}: ${SENDER_NAMES[sender]} sends ${label}`);
  lines.push(
    `    ${STATE_NAMES[CLOSED]} --> [*]`,
    `    note right of ${STATE_NAMES[CLOSED]}`,
    '        Any packet without an arrow is a protocol error and leads here,',
    '        like a timeout and the loss of the network connection.',
    '    end note',
  );
  return lines.join('\n') + '\n';
}

/**
 * What `sender` may send in `state`, as labels for each next state: packets that lead to the same one share an arrow.
 */
function transitions(state: number, sender: number): [string, number][] {
  const labels = new Map<number, string[]>();
  const add = (next: number, label: string): void => {
    labels.set(next, [...labels.get(next) ?? [], label]);
  };
  for (let type = 0; type < TYPE_COUNT; ++type) {
    const next = nextState(state, sender, type);
    if (next === ILLEGAL)
      continue;
    const name = ControlPacket.NAMES[type]!;
    if (type === ControlPacket.CONNACK) {
      add(afterConnack(ReasonCode.SUCCESS), `${name} (accepted)`);
      add(afterConnack(ReasonCode.NOT_AUTHORIZED), `${name} (refused)`);
    } else
      add(next, name);
  }
  return [...labels].map(([next, names]): [string, number] => [names.join(', '), next]);
}
