/**
 * A simulated sensor node: an MQTT Client over real TCP, made of the same session and link as the gateway's own
 * upstream connection. When it loses its connection it comes back. Knows nothing of the demo.
 */
import { Arena, ArenaPlan } from '../bytes/arena.ts';
import { RingSpace } from '../bytes/ring-buffer.ts';
import { decodeUTF8, encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { CachedViews } from '../io/exact-view.ts';
import { Link } from '../io/link.ts';
import { LinkContext, type LinkOwner } from '../io/link-context.ts';
import { Scheduler } from '../io/scheduler.ts';
import { CLEAN_START, WILL, WILL_QOS_SHIFT, WILL_RETAIN, type ConnectFields } from '../packet/connect.ts';
import { ABSENT } from '../packet/data-representation.ts';
import { OVERSIZE_DROP } from '../packet/packet-handler.ts';
import { MessageSpans, Packet } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { TopicTable } from '../packet/topic-table.ts';
import { ClientSession, type ClientHandler } from '../session/client-session.ts';
import { Clock } from '../session/clock.ts';
import { SessionState } from '../session/session-state.ts';
import { TAKEN } from '../session/session-role.ts';
import { QueueLimits } from '../session/queue-limits.ts';
import { UpstreamWindow } from '../session/upstream-window.ts';
import { TCP } from '../host/tcp.ts';
import { HostTimer } from '../host/timer.ts';

interface NodeWill {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
}

export interface NodeSettings {
  readonly identifier: string;
  /** A version of protocol-version.ts. */
  readonly version: number;
  /** Topic Filter to subscribe to. */
  readonly filter?: string;
  readonly will?: NodeWill;
}

export interface NodeObserver {
  onConnected(node: DemoNode): void;
  onMessage(node: DemoNode, topic: string, payload: string): void;
}

/** Seconds. */
const KEEP_ALIVE = 10;
/** Milliseconds. */
const CONNACK_TIMEOUT = 5000;
const SEND_TIMEOUT = 10_000;
const CLOSE_TIMEOUT = 500;
const RECONNECT_DELAY = 1000;

const PACKET_CAPACITY = 1024;
const TEXT_CAPACITY = 512;
const TOPICS = 16;
const TOPIC_LENGTH = 64;
const LIMITS = { queueCapacity: 2048, maximumQueuedMessages: 20, maximumInflightMessages: 5, isUpstream: true };
const SETTINGS = {
  maximumPacketSize: PACKET_CAPACITY,
  connackTimeout: CONNACK_TIMEOUT,
  pingrespTimeout: CONNACK_TIMEOUT,
  acknowledgementTimeout: SEND_TIMEOUT,
  sendTimeout: SEND_TIMEOUT,
  oversize: OVERSIZE_DROP,
};

export class DemoNode implements ClientHandler, LinkOwner {
  readonly settings: NodeSettings;
  /** When it comes back, in milliseconds since 1970; undefined unless it has vanished. */
  backAt: number | undefined;
  private readonly address: string;
  private readonly port: number;
  private readonly observer: NodeObserver;
  private readonly arena: Arena;
  private readonly session: ClientSession;
  private readonly link: Link;
  private readonly scheduler: Scheduler;
  private readonly message = new MessageSpans();
  private readonly outgoingOffset: number;
  private readonly filterOffset: number;
  private readonly filterLength: number;
  private reconnecting: NodeJS.Timeout | undefined;
  private onStopped: (() => void) | undefined;
  private isStopping = false;

  constructor(settings: NodeSettings, address: string, port: number, observer: NodeObserver) {
    this.settings = settings;
    this.address = address;
    this.port = port;
    this.observer = observer;
    const plan = new ArenaPlan();
    const textOffset = plan.reserve('texts', TEXT_CAPACITY);
    this.outgoingOffset = plan.reserve('outgoing message', PACKET_CAPACITY);
    const topicsOffset = TopicTable.plan(plan, TOPICS, TOPIC_LENGTH, 1);
    const stateOffset = plan.reserve('session state', QueueLimits.lengthOf(LIMITS));
    const sessionPlan = ClientSession.plan(plan, SETTINGS);
    const ringOffset = plan.reserve('transmit ring', PACKET_CAPACITY);
    const arena = this.arena =
      new Arena(plan, { landingCapacity: PACKET_CAPACITY, stagingCapacity: PACKET_CAPACITY, resizable: false });
    const clock = new Clock();
    const connect = connectFields(arena, textOffset, settings);
    this.filterOffset = connect.end;
    this.filterLength = encodeUTF8(arena, connect.end, settings.filter ?? '') - connect.end;
    this.session =
      new ClientSession({ arena, clock, topics: new TopicTable(arena, topicsOffset, TOPICS, TOPIC_LENGTH),
        packet: new Packet(arena) },
      sessionPlan, connect.fields,
        new SessionState(new QueueLimits(arena, LIMITS), stateOffset, new UpstreamWindow(1)), this);
    this.scheduler = new Scheduler(clock, () => performance.now(), onTimer => new HostTimer(onTimer), this);
    const context = new LinkContext(arena, new CachedViews(arena), this.scheduler,
      { TCP, owner: this, closeTimeout: CLOSE_TIMEOUT });
    this.link = new Link(context, this.session, new RingSpace(arena, PACKET_CAPACITY), ringOffset);
  }

  handleTimeout(): void {
    this.session.handleTimeout();
    this.link.handleTimeout();
  }

  handleDeferred(): void {
    this.link.handleTimeout();
  }

  get identifier(): string {
    return this.settings.identifier;
  }

  get isConnected(): boolean {
    return this.session.isConnected;
  }

  start(): void {
    this.backAt = undefined;
    this.bracket(() => this.link.connect(this.address, this.port));
  }

  /** As if the power failed: the connection ends without DISCONNECT. @param absence milliseconds until it comes back */
  vanish(absence: number): void {
    if (this.isStopping)
      return;
    this.backAt = Date.now() + absence;
    this.bracket(() => this.link.abort(ReasonCode.NETWORK_CLOSED));
    this.startLater(absence);
  }

  /** Says DISCONNECT. @returns when the connection is closed */
  stop(): Promise<void> {
    return new Promise(resolve => {
      this.isStopping = true;
      this.onStopped = resolve;
      clearTimeout(this.reconnecting);
      this.bracket(() => {
        if (this.session.isConnected)
          this.session.disconnect();
        else
          this.link.abort(ReasonCode.SUCCESS);
      });
      this.finishStopping();
    });
  }

  /**
   * @returns false when there is no connection or no room: the message is lost, as a reading on a small node would be
   */
  publish(topic: string, payload: string, qos: number, retain = false): boolean {
    const { arena, message, outgoingOffset, session } = this;
    if (!session.isConnected || lengthOfUTF8(topic) + lengthOfUTF8(payload) > PACKET_CAPACITY / 2)
      return false;
    const payloadOffset = encodeUTF8(arena, outgoingOffset, topic);
    message.topicNameOffset = outgoingOffset;
    message.topicNameLength = payloadOffset - outgoingOffset;
    message.payloadOffset = payloadOffset;
    message.payloadLength = encodeUTF8(arena, payloadOffset, payload) - payloadOffset;
    message.qos = qos;
    message.retain = retain ? 1 : 0;
    let isTaken = false;
    this.bracket(() => isTaken = qos === 0 ? session.publish(message) : session.enqueue(message, qos));
    return isTaken;
  }

  onConnected(session: ClientSession): void {
    if (this.filterLength > 0)
      session.subscribe(this.filterOffset, this.filterLength, 1);
    // Not from the middle of the session's event.
    queueMicrotask(() => this.observer.onConnected(this));
  }

  onMessage(_session: ClientSession, packet: Packet): number {
    const topic = decodeUTF8(this.arena, packet.topicNameOffset, packet.topicNameLength);
    const payload = packet.isOversize ? `${packet.payloadLength} bytes`
      : decodeUTF8(this.arena, packet.payloadOffset, packet.payloadLength);
    queueMicrotask(() => this.observer.onMessage(this, topic, payload));
    return TAKEN;
  }

  onSubscribed(): void { /* the gateway tells when it refuses */ }

  onClosed(): void { /* the link is free a little later: onLinkClosed */ }

  onLinkEstablished(): void { /* the link opens the session */ }

  onLinkClosed(): void {
    if (this.isStopping)
      this.finishStopping();
    else if (this.backAt === undefined)
      this.startLater(RECONNECT_DELAY);
  }

  private startLater(delay: number): void {
    clearTimeout(this.reconnecting);
    this.reconnecting = setTimeout(() => this.start(), delay);
  }

  private finishStopping(): void {
    if (!this.link.isFree)
      return;
    this.scheduler.stop();
    this.onStopped?.();
  }

  private bracket(act: () => void): void {
    this.scheduler.enter();
    act();
    this.scheduler.leave();
  }
}

function connectFields(arena: Arena, offset: number,
  { identifier, version, will }: NodeSettings): { fields: ConnectFields; end: number } {
  const willTopicOffset = encodeUTF8(arena, offset, identifier);
  const willPayloadOffset = encodeUTF8(arena, willTopicOffset, will?.topic ?? '');
  const end = encodeUTF8(arena, willPayloadOffset, will?.payload ?? '');
  return {
    end,
    fields: {
      version,
      connectFlags: CLEAN_START | (will === undefined ? 0
        : WILL | will.qos << WILL_QOS_SHIFT | (will.retain ? WILL_RETAIN : 0)),
      keepAlive: KEEP_ALIVE,
      clientIdentifierOffset: offset,
      clientIdentifierLength: willTopicOffset - offset,
      willTopicOffset,
      willTopicLength: willPayloadOffset - willTopicOffset,
      willPayloadOffset,
      willPayloadLength: end - willPayloadOffset,
      userNameOffset: 0,
      userNameLength: ABSENT,
      passwordOffset: 0,
      passwordLength: ABSENT,
    },
  };
}
