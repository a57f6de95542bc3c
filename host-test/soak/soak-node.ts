/**
 * A node that does nothing wrong: with a session that is kept it sends again what was not acknowledged, as long as it
 * takes; with a clean one it forgets. It comes back after a connection has ended, and notices a dead one by PINGREQ.
 */
import type { IPublishPacket, Packet } from 'mqtt-packet';
import { connect } from '../world/packets.ts';
import type { Peer, World } from '../world/world.ts';
import type { Chance } from './chance.ts';
import { Inbox, Outbox } from './exchange.ts';
import type { Entry } from './ledger.ts';
import { matches } from './soak-broker.ts';

const WINDOW = 8;
/** Seconds; and milliseconds in which PINGRESP, and CONNACK, must come. */
const KEEP_ALIVE = 300;
const PATIENCE = 30_000;
/** Milliseconds between attempts, at most. */
const LONGEST_PAUSE = 30_000;

export interface NodeOptions {
  readonly name: string;
  readonly isPersistent: boolean;
  /** Filter and QoS. */
  readonly subscriptions: readonly (readonly [filter: string, qos: 0 | 1 | 2])[];
}

export interface NodeOwner {
  readonly world: World;
  readonly chance: Chance;
  onDownward(node: SoakNode, packet: IPublishPacket): void;
  /** The gateway has taken a message. */
  onTaken(entry: Entry): void;
  /** The session of the node should have been there, and was not. */
  onSessionLost(node: SoakNode): void;
}

export class SoakNode {
  readonly options: NodeOptions;
  connectionCount = 0;
  isConnected = false;
  /** Since when its subscriptions are acknowledged, without a break. */
  subscribedAt = Infinity;
  /** Its session may be gone when it comes back. */
  mayBeForgotten = true;
  private wantsConnection = false;
  private peer: Peer | undefined = undefined;
  private isPinging = false;
  private readonly inbox: Inbox;
  private readonly outbox: Outbox;
  private readonly owner: NodeOwner;

  constructor(owner: NodeOwner, options: NodeOptions) {
    this.owner = owner;
    this.options = options;
    this.inbox = new Inbox(packet => owner.onDownward(this, packet));
    this.outbox = new Outbox(WINDOW, entry => owner.onTaken(entry));
  }

  get name(): string {
    return this.options.name;
  }

  /** What it has sent, or will send, and nobody has taken yet. */
  get waitingCount(): number {
    return this.outbox.count;
  }

  /** Of its subscriptions that match, the highest QoS; -1: none. */
  grantedFor(topic: string): number {
    return this.options.subscriptions.reduce((most, [filter, qos]) =>
      matches(filter, topic) && qos > most ? qos : most, -1);
  }

  /** It is to be there. */
  come(): void {
    if (this.wantsConnection)
      return;
    this.wantsConnection = true;
    this.dial();
  }

  /** With DISCONNECT, or as if it had lost its power. */
  go(isPolite: boolean): void {
    this.wantsConnection = false;
    if (isPolite && this.isConnected)
      this.peer!.post({ cmd: 'disconnect' });
    this.peer?.close();
    this.ended();
  }

  publish(entry: Entry): void {
    if (entry.qos > 0) {
      this.outbox.add(entry, entry.topic);
      if (this.isConnected)
        this.outbox.pump(this.peer!);
    } else if (this.isConnected) {
      ++entry.sends;
      this.peer!.post({
        cmd: 'publish', topic: entry.topic, payload: entry.payload, qos: 0, retain: entry.retain, dup: false,
      });
    } else
      entry.isAbandoned = true;
  }

  private dial(): void {
    const { world } = this.owner;
    if (!this.wantsConnection)
      return;
    const peer = this.peer = world.dial((from, packet) => {
      if (from === this.peer)
        this.handle(from, packet);
    });
    peer.socket.onClosed = () => {
      if (peer === this.peer)
        this.ended();
    };
    peer.post(connect(this.name, { clean: !this.options.isPersistent, keepAlive: KEEP_ALIVE }));
    world.clock.schedule(PATIENCE, () => {
      if (peer === this.peer && !this.isConnected)
        peer.close();
    });
  }

  private handle(peer: Peer, packet: Packet): void {
    peer.packets.length = peer.times.length = 0;
    if (packet.cmd === 'connack')
      this.connected(peer, packet.returnCode === 0, packet.sessionPresent);
    else if (packet.cmd === 'suback')
      this.subscribedAt = this.owner.world.clock.time;
    else if (packet.cmd === 'pingresp')
      this.isPinging = false;
    else if (!this.outbox.takes(peer, packet))
      this.inbox.takes(peer, packet);
  }

  private connected(peer: Peer, isAccepted: boolean, isPresent: boolean): void {
    if (!isAccepted) {
      peer.close();
      return;
    }
    this.isConnected = true;
    ++this.connectionCount;
    if (!isPresent) {
      if (!this.mayBeForgotten)
        this.owner.onSessionLost(this);
      this.inbox.clear();
      this.subscribedAt = Infinity;
      const subscriptions = this.options.subscriptions.map(([topic, qos]) => ({ topic, qos }));
      if (subscriptions.length > 0)
        peer.post({ cmd: 'subscribe', messageId: 65_535, subscriptions });
    }
    this.mayBeForgotten = !this.options.isPersistent;
    this.outbox.resume(peer);
    this.ping(peer);
  }

  private ping(peer: Peer): void {
    const { clock } = this.owner.world;
    clock.schedule(KEEP_ALIVE * 800, () => {
      if (peer !== this.peer)
        return;
      this.isPinging = true;
      peer.post({ cmd: 'pingreq' });
      clock.schedule(PATIENCE, () => {
        if (peer === this.peer && this.isPinging)
          peer.close();
      });
      this.ping(peer);
    });
  }

  private ended(): void {
    const { chance, world } = this.owner;
    this.peer = undefined;
    this.isConnected = this.isPinging = false;
    if (!this.options.isPersistent) {
      this.subscribedAt = Infinity;
      for (const entry of this.outbox.clear())
        entry.isAbandoned = true;
    }
    if (this.wantsConnection)
      world.clock.schedule(chance.integer(500, LONGEST_PAUSE), () => {
        if (this.peer === undefined)
          this.dial();
      });
  }
}
