/**
 * The Server above the gateway: one session, kept until it is told to forget. It never does anything wrong while it is
 * there; what it is told to do, it does to everything at once: to be away, to end the connection, to forget.
 */
import type { IPublishPacket, ISubscribePacket, Packet } from 'mqtt-packet';
import type { Peer } from '../world/world.ts';
import { Inbox, Outbox } from './exchange.ts';
import type { Entry } from './ledger.ts';

const WINDOW = 10;

/** What the campaign wants to know of it. */
export interface BrokerOwner {
  /** A message has come from the gateway, seen for the first time by this session. */
  onUpward(packet: IPublishPacket, connection: number): void;
  /** The gateway has taken a message. */
  onTaken(entry: Entry): void;
  onGatewayConnected(isPresent: boolean): void;
}

export class SoakBroker {
  /** Connections that were accepted. */
  connectionCount = 0;
  /** Times that the session was forgotten. */
  forgottenCount = 0;
  /** Payload of what is retained, by topic there. */
  readonly retained = new Map<string, string>();
  private hasSession = false;
  private peer: Peer | undefined = undefined;
  private readonly filters = new Map<string, number>();
  private readonly inbox: Inbox;
  private readonly outbox: Outbox;
  private readonly owner: BrokerOwner;

  constructor(owner: BrokerOwner) {
    this.owner = owner;
    this.inbox = new Inbox(packet => this.receive(packet));
    this.outbox = new Outbox(WINDOW, entry => owner.onTaken(entry));
  }

  /** Whether it thinks that the gateway is connected. */
  get isConnected(): boolean {
    return this.peer !== undefined && !this.peer.isClosed;
  }

  /** Messages for the gateway that it has not taken to the end. */
  get waitingCount(): number {
    return this.outbox.count;
  }

  readonly handle = (peer: Peer, packet: Packet): void => {
    peer.packets.length = peer.times.length = 0;
    if (packet.cmd === 'connect') {
      this.connect(peer, packet.clean !== false);
      return;
    }
    if (peer !== this.peer || this.outbox.takes(peer, packet) || this.inbox.takes(peer, packet))
      return;
    if (packet.cmd === 'subscribe')
      this.subscribe(peer, packet);
    else if (packet.cmd === 'unsubscribe') {
      for (const filter of packet.unsubscriptions)
        this.filters.delete(filter);
      peer.post({ cmd: 'unsuback', messageId: packet.messageId!, granted: [] });
    } else if (packet.cmd === 'pingreq')
      peer.post({ cmd: 'pingresp' });
    else if (packet.cmd === 'disconnect')
      this.hangUp();
  };

  /** Its connection ends. */
  hangUp(): void {
    this.peer?.close();
    this.peer = undefined;
  }

  /** As one without persistence that is killed: what it has not got rid of is nobody's any more. */
  forget(): void {
    this.hangUp();
    ++this.forgottenCount;
    this.hasSession = false;
    this.filters.clear();
    this.retained.clear();
    this.endSession();
  }

  /** @returns whether it has kept the message for the gateway, or has sent it */
  publish(entry: Entry, topic: string): boolean {
    if (entry.retain)
      this.retained.set(topic, entry.payload);
    if (![...this.filters.keys()].some(filter => matches(filter, topic)) || entry.qos === 0 && !this.isConnected)
      return false;
    if (entry.qos === 0) {
      ++entry.sends;
      this.peer!.post({ cmd: 'publish', topic, payload: entry.payload, qos: 0, retain: false, dup: false });
      return true;
    }
    this.outbox.add(entry, topic);
    if (this.isConnected)
      this.outbox.pump(this.peer!);
    return true;
  }

  private connect(peer: Peer, isClean: boolean): void {
    if (peer !== this.peer)
      this.peer?.close();
    this.peer = peer;
    ++this.connectionCount;
    const isPresent = this.hasSession && !isClean;
    if (!isPresent)
      this.endSession();
    this.hasSession = true;
    this.owner.onGatewayConnected(isPresent);
    peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: isPresent });
    this.outbox.resume(peer);
  }

  private endSession(): void {
    this.filters.clear();
    this.inbox.clear();
    for (const entry of this.outbox.clear())
      entry.isAbandoned = true;
  }

  private subscribe(peer: Peer, { messageId, subscriptions }: ISubscribePacket): void {
    peer.post({ cmd: 'suback', messageId: messageId!, granted: subscriptions.map(({ qos }) => qos) });
    for (const { qos, topic: filter } of subscriptions) {
      this.filters.set(filter, qos);
      for (const [topic, payload] of this.retained)
        if (matches(filter, topic))
          peer.post({ cmd: 'publish', topic, payload, qos: 0, retain: true, dup: false });
    }
  }

  private receive(packet: IPublishPacket): void {
    if (packet.retain)
      this.retained.set(packet.topic, packet.payload.toString());
    this.owner.onUpward(packet, this.connectionCount);
  }
}

/** Of the filters that are used here: a topic, or all below one. */
export const matches = (filter: string, topic: string): boolean =>
  filter === topic || filter.endsWith('#') && topic.startsWith(filter.slice(0, -1));
