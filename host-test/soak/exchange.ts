/**
 * The two halves of an exchange of messages as the specification has them, for nodes and brokers that do nothing
 * wrong: what is sent until it is acknowledged, and what is received once. Written with arrays and sets, by another
 * program's packets; shares no code with src.
 */
import type { IPublishPacket, Packet } from 'mqtt-packet';
import type { Peer } from '../world/world.ts';
import type { Entry } from './ledger.ts';

const WAITING = 0;
const SENT = 1;
const RECEIVED = 2;

interface Item {
  readonly entry: Entry;
  /** As the receiver calls it. */
  readonly topic: string;
  identifier: number;
  state: number;
}

/** What somebody sends with QoS 1 and 2, in order, again on each connection until it is acknowledged. */
export class Outbox {
  private readonly items: Item[] = [];
  private readonly window: number;
  /** PUBACK or PUBREC has come: somebody else is answerable for it. */
  private readonly onTaken: (entry: Entry) => void;
  private identifier = 0;

  constructor(window: number, onTaken: (entry: Entry) => void) {
    this.window = window;
    this.onTaken = onTaken;
  }

  get count(): number {
    return this.items.length;
  }

  add(entry: Entry, topic: string): void {
    this.items.push({ entry, topic, identifier: 0, state: WAITING });
  }

  /** Nothing more is sent. @returns what was not taken */
  clear(): Entry[] {
    return this.items.splice(0).filter(({ state }) => state !== RECEIVED).map(({ entry }) => entry);
  }

  /** On a new connection. */
  resume(peer: Peer): void {
    for (const item of this.items)
      if (item.state === RECEIVED)
        peer.post({ cmd: 'pubrel', messageId: item.identifier });
      else if (item.state === SENT)
        this.send(peer, item, true);
    this.pump(peer);
  }

  pump(peer: Peer): void {
    const { items, window } = this;
    for (let index = 0; index < items.length && index < window; ++index) {
      const item = items[index]!;
      if (item.state !== WAITING)
        continue;
      do
        this.identifier = this.identifier % 65_535 + 1;
      while (items.some(({ identifier }) => identifier === this.identifier));
      item.identifier = this.identifier;
      item.state = SENT;
      this.send(peer, item, false);
    }
  }

  /** @returns whether the packet was an acknowledgement */
  takes(peer: Peer, { cmd, messageId }: Packet): boolean {
    if (cmd !== 'puback' && cmd !== 'pubrec' && cmd !== 'pubcomp')
      return false;
    const index = this.items.findIndex(({ identifier }) => identifier === messageId);
    const item = this.items[index];
    if (item !== undefined && item.state === SENT && cmd !== 'pubcomp') {
      item.state = RECEIVED;
      this.onTaken(item.entry);
    }
    if (cmd === 'pubrec')
      peer.post({ cmd: 'pubrel', messageId: messageId! });
    else if (index >= 0)
      this.items.splice(index, 1);
    this.pump(peer);
    return true;
  }

  private send(peer: Peer, { entry, identifier, topic }: Item, dup: boolean): void {
    ++entry.sends;
    peer.post({
      cmd: 'publish', topic, payload: entry.payload, qos: entry.qos as 1 | 2, retain: entry.retain, dup,
      messageId: identifier,
    });
  }
}

/** What somebody receives: of QoS 2 once, as long as the session lasts. */
export class Inbox {
  private readonly unreleased = new Set<number>();
  private readonly onMessage: (packet: IPublishPacket) => void;

  constructor(onMessage: (packet: IPublishPacket) => void) {
    this.onMessage = onMessage;
  }

  clear(): void {
    this.unreleased.clear();
  }

  /** @returns whether the packet was part of it */
  takes(peer: Peer, packet: Packet): boolean {
    const { messageId } = packet;
    if (packet.cmd === 'pubrel') {
      this.unreleased.delete(messageId!);
      peer.post({ cmd: 'pubcomp', messageId: messageId! });
      return true;
    }
    if (packet.cmd !== 'publish')
      return false;
    const isRepeated = packet.qos === 2 && this.unreleased.has(messageId!);
    if (packet.qos === 2)
      this.unreleased.add(messageId!);
    if (!isRepeated)
      this.onMessage(packet);
    if (packet.qos > 0)
      peer.post({ cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId: messageId! });
    return true;
  }
}
