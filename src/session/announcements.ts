/**
 * What the gateway says to the Server about itself: the birth, after each connection, at a clean stop what its Will
 * says, which the Server does not publish then, and now and then a probe (upstream/probe.ts). Beside the queue, which
 * may be full of messages that wait; one at a time, with the guarantee of its QoS: what is not acknowledged is repeated
 * when the session goes on.
 */
import type { Arena } from '../bytes/arena.ts';
import { DUP, PUBCOMP, PUBREC } from '../packet/control-packet.ts';
import type { Message } from '../packet/packet.ts';
import { ACKNOWLEDGEMENT_LENGTH, lengthOfPublish, PUBREL_PACKET, writePublish } from '../packet/publish.ts';
import { lengthWithProperties, writePublishWithProperties } from '../packet/publish-properties.ts';
import { NONE } from './record-layout.ts';

/** Milliseconds for which a birth without an answer, or without one yet, may be why the Server closes. */
const UNANSWERED = 1000;
const PATIENCE = 5000;

// States.
const IDLE = 0;
/** PUBACK or PUBREC is awaited. */
const SENT = 1;
/** PUBCOMP is awaited. */
const RELEASED = 2;

/** Who has more to say of the gateway, after the birth: one message at a time. What is known of it lies there. */
export interface Further {
  /** What is next: its spans stay until it is settled, or the connection is over. undefined: nothing yet. */
  offered: Message | undefined;
  /** The one under way is of here. */
  isUnderWay: boolean;
  /** The gateway is about to go: nothing is offered any more. */
  end(): void;
  /** What was offered is over. @param isTaken whether the Server has acknowledged it, or its QoS was 0 */
  settled(isTaken: boolean): void;
  /**
   * A connection is accepted; what was offered and not sent is nobody's any more.
   * @returns whether what is under way is to be sent again, if the Server may continue
   */
  begin(mayContinue: boolean): boolean;
}

export class Announcements {
  /** What is said after each connection; undefined: nothing, and nothing at a clean stop. */
  birth: Message | undefined = undefined;
  /** What is said at a clean stop, one after the other. */
  farewells: readonly Message[] = [];
  further: Further | undefined = undefined;
  /** What `sayProbe` says. Without an initial value, as the next one: where there is no probe they cost nothing. */
  declare probe?: Message | undefined;
  declare private isProbeDue?: boolean;
  /** Nothing is said before the end, not even what is due: a connection on which the gateway says nothing is needed. */
  isHeld = false;
  private readonly arena: Arena;
  private isBirthDue = false;
  /** How many farewells are still to be said. */
  private farewellsLeft = 0;
  private state = IDLE;
  /** The one under way; means nothing while IDLE. */
  private current: Message | undefined = undefined;
  identifier = 0;
  sentAt = 0;
  /** It was sent on an earlier connection and not on this one. */
  private isToRepeat = false;
  /** Of the connection: its version has them; no message goes out with more QoS. */
  private hasProperties = false;
  private mostQoS = 2;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /**
   * A connection is accepted. @param mayContinue whether the Server may know what was under way @param hasProperties
   * of the connection @param mostQoS that the Server takes
   */
  begin(mayContinue: boolean, hasProperties = false, mostQoS = 2): void {
    if (!mayContinue)
      this.state = IDLE;
    this.beginFurther(mayContinue);
    this.hasProperties = hasProperties;
    this.mostQoS = mostQoS;
    this.isToRepeat = this.state !== IDLE;
    this.isBirthDue = this.birth !== undefined;
    this.farewellsLeft = 0;
    if (this.probe !== undefined)
      this.isProbeDue = false;
  }

  /** Only when all has been said and acknowledged. */
  sayProbe(): void {
    this.isProbeDue = true;
  }

  /** The Server will not have the birth: it is not said any more. */
  setBirthAside(): void {
    if (this.current === this.birth)
      this.state = IDLE;
    this.isToRepeat = this.state !== IDLE && this.isToRepeat;
    this.birth = undefined;
    this.isBirthDue = false;
  }

  /** The birth has been sent on this connection, and whether the Server takes it is not known. */
  isBirthUnderWay(now: number): boolean {
    return this.birth !== undefined && this.current === this.birth && !this.isToRepeat
      && (this.state !== IDLE
        || this.qosOf(this.birth) === 0 && !this.isBirthDue && (now - this.sentAt | 0) < UNANSWERED);
  }

  /** Whether others should wait, so that it can be told for what the Server closes the connection. */
  isBirthFirst(now: number): boolean {
    return this.isBirthDue || this.isBirthUnderWay(now) && (now - this.sentAt | 0) < PATIENCE;
  }

  /** The gateway is about to go. */
  end(): void {
    this.isHeld = this.isBirthDue = false;
    if (this.further !== undefined) {
      this.further.offered = undefined;
      this.further.end();
    }
    this.farewellsLeft = this.farewells.length;
  }

  /** Whether all has been said and acknowledged. */
  get isSettled(): boolean {
    return this.state === IDLE && !this.hasNext;
  }

  private beginFurther(mayContinue: boolean): void {
    const { further } = this;
    if (further === undefined)
      return;
    if (!further.begin(mayContinue) && further.isUnderWay)
      this.state = IDLE;
    further.isUnderWay &&= this.state !== IDLE;
    further.offered = undefined;
  }

  /** Milliseconds for which an answer has been owed, NONE when none is. */
  owedFor(now: number): number {
    return this.state === IDLE || this.isToRepeat ? NONE : now - this.sentAt | 0;
  }

  /** Length of the packet that is to be sent now, 0 when there is none. */
  get nextLength(): number {
    if (this.isHeld)
      return 0;
    if (this.isToRepeat)
      return this.state === RELEASED ? ACKNOWLEDGEMENT_LENGTH : this.lengthOf(this.current!);
    const message = this.state === IDLE ? this.next : undefined;
    return message === undefined ? 0 : this.lengthOf(message);
  }

  /** The Server takes no packet as long as the one that is to be sent now: it is never sent. */
  skip(): void {
    this.state = IDLE;
    if (!this.isToRepeat)
      this.takeNext();
    this.isToRepeat = false;
    this.settle(false);
  }

  /** Whether the one under way has this identifier, and was received. */
  isReleased(identifier: number): boolean {
    return this.state === RELEASED && identifier === this.identifier;
  }

  /** The Server refuses a message with this identifier. @returns whether it is the one under way; that is over then */
  refuse(identifier: number): boolean {
    if (this.state !== SENT || identifier !== this.identifier)
      return false;
    this.state = IDLE;
    this.settle(false);
    return true;
  }

  /** Whether the one that was refused, or acknowledged, last was the birth. */
  get wasBirth(): boolean {
    return this.birth !== undefined && this.current === this.birth;
  }

  private lengthOf(message: Message): number {
    const qos = this.qosOf(message);
    return this.hasProperties ? lengthWithProperties(message, qos) : lengthOfPublish(message, qos);
  }

  private qosOf({ qos }: Message): number {
    return qos < this.mostQoS ? qos : this.mostQoS;
  }

  private write(message: Message, identifier: number): void {
    const { arena } = this;
    const write = this.hasProperties ? writePublishWithProperties : writePublish;
    write(arena, arena.stagingOffset, message, this.qosOf(message), identifier);
  }

  /** Writes that packet to the staging area: it is sent next. @param identifier for a new message of QoS 1 or 2 */
  stage(identifier: number, now: number): void {
    const { arena } = this;
    const { stagingOffset: at } = arena;
    this.sentAt = now;
    if (this.isToRepeat && this.state === RELEASED)
      arena.view.setInt32(at, PUBREL_PACKET | this.identifier);
    else if (this.isToRepeat) {
      this.write(this.current!, this.identifier);
      arena.bytes[at] = arena.bytes[at]! | DUP; // [MQTT311-3.3.1-1]
    } else
      this.stageNew(this.next!, identifier);
    this.isToRepeat = false;
  }

  /** Whether a new message is next, which needs an identifier. */
  get needsIdentifier(): boolean {
    return !this.isToRepeat && this.qosOf(this.next!) !== 0;
  }

  /** An acknowledgement that nothing in the queue awaits. */
  acknowledge(type: number, identifier: number): void {
    if (this.state === IDLE || identifier !== this.identifier)
      return;
    if (type === PUBREC)
      this.state = this.qosOf(this.current!) === 2 ? RELEASED : this.state;
    else if (this.state === (type === PUBCOMP ? RELEASED : SENT)
      && this.qosOf(this.current!) === (type === PUBCOMP ? 2 : 1)) {
      this.state = IDLE;
      this.settle(true);
    }
  }

  private get hasNext(): boolean {
    return this.isBirthDue || this.farewellsLeft > 0 || this.further?.offered !== undefined || this.isProbeDue === true;
  }

  /** What was under way is over. */
  private settle(isTaken: boolean): void {
    const { further } = this;
    if (further?.isUnderWay !== true)
      return;
    further.isUnderWay = false;
    further.settled(isTaken);
  }

  private get next(): Message | undefined {
    return this.isBirthDue ? this.birth
      : this.farewellsLeft > 0 ? this.farewells[this.farewells.length - this.farewellsLeft]
        : this.further?.offered ?? (this.isProbeDue === true ? this.probe : undefined);
  }

  private takeNext(): void {
    const { further } = this;
    if (this.isBirthDue)
      this.isBirthDue = false;
    else if (this.farewellsLeft > 0)
      --this.farewellsLeft;
    else if (further?.offered !== undefined) {
      further.isUnderWay = true;
      further.offered = undefined;
    } else
      this.isProbeDue = false;
  }

  private stageNew(message: Message, identifier: number): void {
    this.takeNext();
    this.write(message, identifier);
    this.current = message;
    this.identifier = identifier;
    this.state = this.qosOf(message) === 0 ? IDLE : SENT;
    if (this.state === IDLE)
      this.settle(true);
  }
}
