/**
 * One connection, for one request and its answer, or for events until somebody ends it. It takes bytes of the socket,
 * hands them to the head, then to the resource as body, and has the answer sent as the socket takes it. Nothing is
 * allocated but by the socket and the resource.
 *
 * Every phase has a deadline, so a client that says or takes too little keeps no place (slow-loris, slow read). What
 * comes after the request is thrown away: no connection is used twice, so it can be no second request.
 */
import type { TCPOptions, TCPSocket } from '../io/transport.ts';
import { hasCurrent } from './accepted-forms.ts';
import { ANSWERING, BODY_COMES, Deadline, DRAINING, EVENTS, FREE, HEAD_COMES, JUDGED, SENDING } from './connection-phase.ts';
import { type Content, ENDLESS } from './content.ts';
import { EXPECT } from './field-names.ts';
import { statusOf } from './first-judgement.ts';
import type { HTTPContext } from './http-context.ts';
import * as Limit from './http-limits.ts';
import { HEAD, HEAD_CAPACITY, POST, PUT, RequestHead } from './request-head.ts';
import { type Exchange, PENDING, type Resource } from './resource.ts';
import { ResponseSender } from './response-sender.ts';
import { SOCKET_CALLBACKS, type SocketOwner } from './socket-callbacks.ts';

/** Bytes of the arena that a connection needs. */
export const lengthOfConnection = (landingCapacity: number): number => HEAD_CAPACITY + landingCapacity;

/** What a socket is made with. */
type ReusedOptions = Omit<TCPOptions, 'from'> & { from?: TCPSocket | undefined };

export class HTTPConnection implements Exchange, SocketOwner {
  phase = FREE;
  ticket = 0;
  remoteAddress: string | undefined = undefined;
  /** When it was accepted, on the server's clock. */
  since = 0;
  readonly head: RequestHead;
  private readonly context: HTTPContext;
  private readonly sender: ResponseSender;
  /** What came with the head and belongs to the body lies here until the gate has judged. */
  private readonly leftoverOffset: number;
  private leftoverLength = 0;
  /** The same object for each, so that a connection costs its socket and nothing else. */
  private readonly options: ReusedOptions;
  private socket: TCPSocket | undefined = undefined;
  private readable = 0;
  private resource: Resource | undefined = undefined;
  private bodyLeft = 0;
  private startedAt = 0;
  private readonly deadline: Deadline;

  /** @param offset of `lengthOfConnection` bytes in the arena */
  constructor(context: HTTPContext, offset: number) {
    this.context = context;
    this.sender = new ResponseSender(context);
    this.deadline = new Deadline(context.clock);
    this.head = new RequestHead(context.arena.bytes, offset, context.names);
    this.leftoverOffset = offset + HEAD_CAPACITY;
    this.options = { ...SOCKET_CALLBACKS, nodelay: true };
  }

  /** Takes a connection over. @throws what the socket throws; the connection is free then */
  accept(from: TCPSocket): void {
    const { context, options } = this;
    options.from = from;
    const socket = this.socket = new context.TCP(options as TCPOptions);
    options.from = undefined;
    socket.target = this;
    this.sender.open(socket);
    this.remoteAddress = socket.remoteAddress;
    this.ticket = context.nextTicket();
    this.since = context.clock.now;
    this.readable = this.bodyLeft = this.leftoverLength = 0;
    this.resource = undefined;
    this.head.reset();
    this.enterPhase(HEAD_COMES, Limit.HEAD_TIMEOUT);
  }

  /** Whether it keeps a place for events. */
  get isEndless(): boolean {
    return this.phase !== FREE && this.resource?.isEndless === true;
  }

  // For the resource

  answer(status: number, content: Content): void {
    if (this.phase !== ANSWERING)
      return;
    const { context: { forms, scheduler }, head } = this;
    const isHeadOnly = head.method === HEAD;
    const sent = content.plain === undefined || forms.takesGzip(head) ? content : content.plain;
    const isCurrent = status === 200 && sent.etag.length > 0 && hasCurrent(head, sent.etag);
    scheduler.enter();
    this.sender.answer(isCurrent ? 304 : status, sent, isCurrent || isHeadOnly);
    this.send(sent.length === ENDLESS && !isHeadOnly ? EVENTS : SENDING);
    scheduler.leave();
  }

  refuse(status: number): void {
    if (this.phase === FREE || this.phase > ANSWERING)
      return;
    const { scheduler } = this.context;
    scheduler.enter();
    this.sender.refuse(status, this.resource?.methods ?? 0, this.head.method === HEAD);
    this.send(SENDING);
    scheduler.leave();
  }

  sendEvent(pieces: readonly Uint8Array[]): boolean {
    if (this.phase !== EVENTS || !this.sender.sendEvent(pieces))
      return false;
    const { scheduler } = this.context;
    scheduler.enter();
    this.deadline.set(Limit.STALL_TIMEOUT);
    this.flush();
    scheduler.leave();
    return true;
  }

  decide(status: number): void {
    if (this.phase !== JUDGED)
      return;
    const { scheduler } = this.context;
    scheduler.enter();
    if (status === 0)
      this.proceed();
    else
      this.refuse(status);
    this.pump();
    scheduler.leave();
  }

  close(): void {
    const { resource, socket } = this;
    if (socket === undefined)
      return;
    const wasEndless = this.phase === EVENTS;
    this.phase = FREE;
    this.deadline.clear();
    this.socket = socket.target = this.resource = undefined;
    this.sender.close();
    socket.close();
    if (wasEndless)
      resource?.closed?.(this);
  }

  // For the server

  /** Asks for its deadline again, or is late. */
  handleTimeout(): void {
    if (!this.deadline.isOver())
      return;
    const { phase } = this;
    if (phase === HEAD_COMES && this.head.hasBegun || phase === BODY_COMES)
      this.refuse(408);
    else if (phase === JUDGED || phase === ANSWERING)
      this.refuse(503);
    else
      this.close();
  }

  // For the socket

  onReadable(count: number): void {
    const { scheduler } = this.context;
    scheduler.enter();
    this.readable = count;
    this.pump();
    scheduler.leave();
  }

  onWritable(count: number): void {
    const { scheduler } = this.context;
    scheduler.enter();
    this.sender.setWritable(count);
    if (this.phase === SENDING || this.phase === EVENTS) {
      if (this.phase === SENDING)
        this.deadline.moveAnswer(this.startedAt);
      else
        this.deadline.set(Limit.STALL_TIMEOUT);
      this.flush();
    }
    scheduler.leave();
  }

  onError(): void {
    const { scheduler } = this.context;
    scheduler.enter();
    this.close();
    scheduler.leave();
  }

  // Input

  /** Reads what there is, as long as it is wanted. */
  private pump(): void {
    const { arena, buffer, length, views } = this.context;
    const { landingCapacity, landingOffset } = arena;
    while (this.readable > 0 && this.phase !== FREE && this.phase !== JUDGED) {
      const count = this.readable < landingCapacity ? this.readable : landingCapacity;
      this.readable -= count;
      buffer.resize(landingOffset + count);
      this.socket!.read(views.landing);
      buffer.resize(length);
      this.take(landingOffset, landingOffset + count);
    }
  }

  private take(from: number, to: number): void {
    const { bytes } = this.context.arena;
    if (this.phase === HEAD_COMES) {
      from = this.head.receive(bytes, from, to);
      if (!this.head.isDone)
        return;
      bytes.copyWithin(this.leftoverOffset, from, to);
      this.leftoverLength = to - from;
      this.judge();
    } else if (this.phase === BODY_COMES)
      this.takeBody(from, to);
  }

  private judge(): void {
    const { context, head } = this;
    const resource = this.resource = head.refusal === 0 ? context.resources.find(head) : undefined;
    const status = statusOf(head, context, resource);
    this.bodyLeft = head.refusal === 0 ? head.contentLength : 0;
    this.enterPhase(JUDGED, Limit.ANSWER_TIMEOUT);
    const verdict = status === 0 ? context.gate.judge(this, resource!) : status;
    if (verdict === 0)
      this.proceed();
    else if (verdict !== PENDING)
      this.refuse(verdict);
  }

  private proceed(): void {
    const { head, resource } = this;
    if (head.contentLength > resource!.bodyCapacity) {
      this.refuse(413);
      return;
    }
    if ((head.method & (PUT | POST)) === 0) {
      this.respond();
      return;
    }
    this.enterPhase(BODY_COMES, Limit.BODY_TIMEOUT);
    if (head.lengthOf(EXPECT) >= 0 && this.leftoverLength === 0 && this.bodyLeft > 0)
      this.sender.sendContinue();
    resource!.begin?.(this);
    this.takeBody(this.leftoverOffset, this.leftoverOffset + this.leftoverLength);
  }

  private takeBody(from: number, to: number): void {
    if (to - from > this.bodyLeft)
      to = from + this.bodyLeft;
    this.bodyLeft -= to - from;
    if (to > from)
      this.resource!.receive?.(this, this.context.arena.bytes, from, to);
    if (this.bodyLeft === 0 && this.phase === BODY_COMES)
      this.respond();
  }

  private respond(): void {
    this.enterPhase(ANSWERING, Limit.ANSWER_TIMEOUT);
    this.resource!.respond(this);
  }

  // Output

  private send(phase: number): void {
    this.startedAt = this.context.clock.now;
    this.enterPhase(phase, Limit.STALL_TIMEOUT);
    this.flush();
  }

  private flush(): void {
    if (!this.sender.flush())
      return;
    if (this.phase === EVENTS)
      this.deadline.clear(); // nothing waits until there is another event
    else
      this.finish();
  }

  /** What is written is still sent after `close`, but not if something is unread or still comes: that would reset. */
  private finish(): void {
    const { head } = this;
    this.enterPhase(DRAINING, Limit.DRAIN_TIMEOUT);
    if (head.refusal !== 0 || !head.isDone || this.bodyLeft > 0)
      return;
    this.pump();
    this.close();
  }

  private enterPhase(phase: number, timeout: number): void {
    this.phase = phase;
    this.deadline.set(timeout);
  }
}
