/**
 * `ringbridge quarantine`: what a gateway has set aside, looked at and decided about in its store. Only while the
 * gateway does not run: its store belongs to one process at a time.
 */
import { existsSync } from 'node:fs';
import { ArenaPlan } from '../bytes/arena.ts';
import type { Configuration } from '../config/configuration.ts';
import { Gateway } from '../gateway/gateway.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { quarantineOf } from '../gateway/quarantine-texts.ts';
import { NOT_AUTHORIZED } from '../packet/reason-code.ts';
import { FileStorage } from './file-storage.ts';
import { messageOf, printable } from './log.ts';

export const ACTIONS: readonly string[] = ['list', 'release', 'delete'];

const ALL = 'all';
const LANDING = 1024;

/**
 * @param numbers of messages, or ALL
 * @param print takes a line
 * @throws Error whose message says what to do
 */
export function decideQuarantine(configuration: Configuration, action: string, numbers: readonly string[],
  print: (line: string) => void): void {
  const { store } = configuration;
  if (store.durability !== 'flash')
    throw new Error('store.durability is "ram", so the quarantine is in the memory of the running gateway: its status '
      + '(kill -USR2) shows it; write "flash" to have it in a file');
  if (!existsSync(store.path))
    throw new Error(`there is no store at ${store.path} (store.path)`);
  const gateway = new Gateway(configuration, {
    authenticator: { authenticate: () => NOT_AUTHORIZED }, observer: { onEvent() { /* nobody asks */ } },
    landingCapacity: LANDING, plan: new ArenaPlan(), resizable: false,
  });
  let storage;
  try {
    storage = FileStorage.open(store.path, store.size, gateway.arena, longestStoredPacket(configuration));
  } catch (error) {
    throw new Error(`${messageOf(error)}; if the gateway runs, stop it first: its status (kill -USR2) shows the quarantine`);
  }
  try {
    gateway.openStore(storage);
    if (action === 'list')
      list(gateway, print);
    else
      numbersOf(gateway, numbers).forEach(number => {
        decide(gateway, action, number);
        print(`${action === 'release' ? 'released' : 'deleted'} ${number}`);
      });
  } finally {
    gateway.durableStore!.backlog.store.close();
  }
}

function list(gateway: Gateway, print: (line: string) => void): void {
  const { count, messages } = quarantineOf(gateway);
  if (count === 0)
    print('the quarantine is empty');
  for (const { bytes, node, number, reason, rule, topic } of messages)
    print(printable(`${number}  "${topic}"  ${bytes} bytes, of ${node}, by rule "${rule}": ${reason}`));
}

function decide({ bridge }: Gateway, action: string, number: number): void {
  const { quarantine } = bridge.guard;
  if (action === 'delete')
    quarantine.removeAt(quarantine.indexOf(number));
  else if (!bridge.putBack(number))
    throw new Error(`message ${number} cannot be released: no topic rule lets it out any more, or the store is full`);
}

/** @throws Error when there is no such message */
function numbersOf({ bridge: { guard: { quarantine } } }: Gateway, numbers: readonly string[]): readonly number[] {
  if (numbers.length === 0)
    throw new Error('write the numbers of the messages as well, or "all"; "list" shows them');
  const present = quarantine.inOrder().map(index => quarantine.read(index).number);
  if (numbers.includes(ALL))
    return present;
  for (const text of numbers)
    if (!present.includes(Number(text)))
      throw new Error(`there is no message "${text}" in the quarantine; "list" shows what there is`);
  return present.filter(number => numbers.some(text => Number(text) === number)); // as they came
}
