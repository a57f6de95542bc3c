/**
 * Joins two gateways of this process as a cable would: what the one has for a further broker goes to the other, and
 * what comes from there comes back. To each it is a node of MQTT 5.0 with a session that lasts, so what holds for nodes
 * holds for it: what waits survives a power cut, an acknowledgement says that the other one has the message, and one
 * that is full makes the other wait. Beyond CONNECT and SUBSCRIBE it passes packets on as they are, both ways: what a
 * Server sends is what a Client would.
 */
import * as ControlPacket from '../packet/control-packet.ts';
import { NO_LOCAL, RETAIN_AS_PUBLISHED, RETAINED_IF_NEW } from '../packet/subscribe.ts';
import { CableEnd } from './cable-end.ts';
import { CABLE_IDENTITY, type CablePort } from './cable-port.ts';
import { ByteCutter, lastingConnectPacket, pingPacket, subscribePacket, unsubscribePacket } from './probe-packets.ts';

const FIVE = 5;
/** QoS 2, nothing of one's own back, RETAIN as it came, what is retained only for a filter that is new. */
const OPTIONS = 2 | NO_LOCAL | RETAIN_AS_PUBLISHED | RETAINED_IF_NEW;
/** Seconds, unless a listener allows less. */
const KEEP_ALIVE = 60;
/** Milliseconds from the end of a connection to the next one. */
const PAUSE = 1000;
/** Of SUBSCRIBE: far from those of messages, which a gateway counts up from 1. */
const FIRST_IDENTIFIER = 0xFFF0;

export interface CableSide {
  readonly port: CablePort;
  /** Client identifier, at this side. */
  readonly identifier: string;
  /** What this side takes from a node, as its CONNACK would say: messages of QoS 2 under way, bytes of a packet. */
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  /** Bytes of messages of QoS 1 and 2 that it may send before they are acknowledged. */
  readonly queuedBytes: number;
  /** Seconds; 0: any. */
  readonly maximumKeepAlive: number;
  /** What it is asked for. */
  readonly filters: () => readonly string[];
  /** What its session still has from an earlier configuration. */
  readonly oldFilters: () => readonly string[];
}

/** Told what does not work. */
type CableRemark = (text: string) => void;

interface LegEvents {
  broken(leg: Leg): void;
  took(leg: Leg, packet: Buffer): void;
}

class Leg {
  readonly side: CableSide;
  readonly end: CableEnd;
  other!: Leg;
  isConnected = false;
  readonly cutter = new ByteCutter();
  filters: readonly string[] = [];

  constructor(side: CableSide, capacity: number, cable: LegEvents) {
    this.end = new CableEnd(CABLE_IDENTITY, capacity, {
      onWritten: bytes => {
        this.cutter.take(bytes).forEach(packet => cable.took(this, packet));
        return this.other.end.room;
      },
      onRead: () => this.other.end.drain(),
      onClosed: () => cable.broken(this),
    });
    this.side = side;
  }
}

export class Cable {
  private readonly sides: readonly [CableSide, CableSide];
  private readonly remark: CableRemark;
  private legs: readonly Leg[] = [];
  private timer: NodeJS.Timeout | undefined = undefined;
  private pinging: NodeJS.Timeout | undefined = undefined;
  private isStopped = false;

  constructor(sides: readonly [CableSide, CableSide], remark: CableRemark) {
    this.sides = sides;
    this.remark = remark;
  }

  start(): void {
    // All that may be under way: a side that is made to wait must not look like one that does not read.
    const capacity = 2 * Math.max(...this.sides.map(side => side.queuedBytes + side.maximumPacketSize));
    const events: LegEvents = { broken: leg => this.broken(leg), took: (leg, packet) => this.took(leg, packet) };
    const [first, second] = this.sides.map(side => new Leg(side, capacity, events)) as [Leg, Leg];
    first.other = second;
    second.other = first;
    this.legs = [first, second];
    for (const { end, other, side } of this.legs) {
      end.give(lastingConnectPacket(side.identifier, this.keepAlive, other.side));
      side.port.offer(end);
    }
    this.pinging =
      setInterval(() => this.legs.forEach(({ end }) => end.give(pingPacket())), this.keepAlive * 500).unref();
  }

  private get keepAlive(): number {
    return Math.min(...this.sides.map(({ maximumKeepAlive }) => maximumKeepAlive || KEEP_ALIVE), KEEP_ALIVE);
  }

  /** Asks each side for what it is to be asked for today. */
  resubscribe(): void {
    this.legs.filter(leg => leg.isConnected).forEach(leg => this.subscribe(leg, leg.filters));
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.hangUp();
  }

  private hangUp(): void {
    clearInterval(this.pinging);
    const { legs } = this;
    this.legs = [];
    legs.forEach(({ end }) => end.end());
  }

  private broken(leg: Leg): void {
    if (!this.legs.includes(leg)) // of a connection that is over
      return;
    this.hangUp();
    if (!this.isStopped)
      this.timer = setTimeout(() => this.start(), PAUSE).unref();
  }

  private took(leg: Leg, packet: Buffer): void {
    switch (packet[0]! >> 4) {
      case ControlPacket.CONNACK:
        if (packet[3]! !== 0) {
          this.remark(`refused by the gateway itself with code 0x${packet[3]!.toString(16)}`);
          return;
        }
        leg.isConnected = true;
        this.subscribe(leg, (packet[2]! & 1) === 0 ? [] : leg.side.oldFilters());
        return;
      case ControlPacket.SUBACK:
        if (packet.at(-1)! >= 0x80)
          this.remark('has no room for its subscriptions; raise listener.max_subscriptions and max_subscription_bytes');
        return;
      case ControlPacket.UNSUBACK:
      case ControlPacket.PINGRESP:
        return;
      case ControlPacket.DISCONNECT: // followed by the end of the connection
        return;
      default:
        leg.other.end.give(packet);
    }
  }

  /** @param old what it was asked for before */
  private subscribe(leg: Leg, old: readonly string[]): void {
    const wanted = leg.side.filters();
    leg.filters = wanted;
    old.filter(filter => !wanted.includes(filter))
      .forEach((filter, index) => leg.end.give(unsubscribePacket(FIVE, FIRST_IDENTIFIER + index % 8, filter)));
    wanted.forEach((filter, index) =>
      leg.end.give(subscribePacket(FIVE, FIRST_IDENTIFIER + index % 8, filter, OPTIONS)));
  }
}
