/**
 * A node's socket within WebSocket, as io/transport.ts describes sockets: MQTT is a stream of bytes in binary frames,
 * whose borders mean nothing (3.1.1 section 6). On top of any socket of that shape, TLS included.
 *
 * All memory is taken at construction: for payload that has come, for a frame that is to go, and a landing for what the
 * socket below gives. What is written in one turn goes as one frame. Ping is answered, Close is answered and ends the
 * connection, what breaks a rule ends it with a code, and `onViolation` says which rule it was.
 */
import type { TCPCallbacks, TCPConstructor, TCPSocket } from './transport.ts';
import { CLOSE, CONTROL, DATA, FAILED, FrameReader, HEADER, LONGEST_CONTROL, NORMAL_CLOSURE, PING, PONG }
  from './websocket-frames.ts';
import { bufferOf, WebSocketSender } from './websocket-sender.ts';
import { answerUpgrade, LONGEST_REQUEST, type Upgrade } from './websocket-upgrade.ts';

export interface WebSocketPlatform {
  /** Of the socket below. */
  readonly TCP: TCPConstructor;
  /** Calls back soon, and not from inside the call. */
  readonly defer: (callback: () => void) => void;
  /** @returns what Sec-WebSocket-Accept says for a key: SHA-1 in base64 (RFC 6455 section 4.2.2) */
  readonly acceptFor: (key: string) => string;
  /** Bytes of payload that may lie unread, and that may wait to be sent, 1 to 65,535. */
  readonly capacity: number;
  onViolation(address: string | undefined, violation: string): void;
}

export interface WebSocketOptions extends TCPCallbacks {
  /** What a listener has given. */
  readonly from: TCPSocket;
  readonly nodelay?: boolean;
}

export class WebSocketNode implements TCPSocket {
  target: unknown = undefined;
  private readonly platform: WebSocketPlatform;
  private readonly callbacks: TCPCallbacks;
  private readonly inner: TCPSocket;
  private readonly reader = new FrameReader(true);
  private isUpgraded = false;
  private isClosed = false;
  /** Nothing more comes, and nothing more goes. */
  private isOver = false;
  private isEndTold = false;
  private isTurnDue = false;
  private innerUnread = 0;
  private readonly landing: Uint8Array;
  private readonly received: Uint8Array;
  private receivedStart = 0;
  private receivedEnd = 0;
  private readonly sender: WebSocketSender;
  private readonly control = new Uint8Array(LONGEST_CONTROL);
  private controlLength = 0;
  private isWritableDue = false;

  private static readonly innerCallbacks: TCPCallbacks = Object.freeze<TCPCallbacks>({
    onReadable(this: TCPSocket, count: number) {
      (this.target as WebSocketNode | undefined)?.onInnerReadable(count);
    },
    onWritable(this: TCPSocket, count: number) {
      (this.target as WebSocketNode | undefined)?.onInnerWritable(count);
    },
    onError(this: TCPSocket) {
      (this.target as WebSocketNode | undefined)?.end();
    },
  });

  constructor(options: WebSocketOptions, platform: WebSocketPlatform) {
    const { capacity } = platform;
    this.platform = platform;
    this.callbacks = options;
    this.landing = new Uint8Array(bufferOf(capacity));
    this.received = new Uint8Array(Math.max(capacity, LONGEST_REQUEST));
    this.inner = new platform.TCP({ ...WebSocketNode.innerCallbacks, from: options.from, nodelay: options.nodelay ?? true });
    this.inner.target = this;
    this.sender = new WebSocketSender(this.inner, capacity);
  }

  get remoteAddress(): string | undefined {
    return this.inner.remoteAddress;
  }

  read(view: Uint8Array): number | undefined {
    if (this.isClosed)
      throw new SyntaxError('invalid host data');
    const { byteLength: length } = view;
    const unread = this.receivedEnd - this.receivedStart;
    if (!this.isUpgraded || unread === 0)
      return undefined;
    if (length === 0 || length > unread)
      throw new Error('invalid');
    for (let index = 0; index < length; ++index)
      view[index] = this.received[this.receivedStart + index]!;
    this.receivedStart += length;
    if (this.receivedStart === this.receivedEnd)
      this.receivedStart = this.receivedEnd = 0;
    if (this.innerUnread > 0 || this.isOver)
      this.later();
    return length;
  }

  write(view: Uint8Array): number {
    if (this.isClosed)
      throw new SyntaxError('invalid host data');
    if (!this.isUpgraded || this.isOver)
      throw new Error('not ready');
    const { byteLength: length } = view;
    if (length > this.sender.free)
      throw new Error('would block');
    this.sender.add(view);
    this.isWritableDue = true;
    this.later();
    return this.sender.free;
  }

  close(): void {
    if (this.isClosed)
      return;
    this.isClosed = true;
    if (this.isUpgraded && !this.isOver) {
      this.sender.flush();
      this.sender.close(NORMAL_CLOSURE);
    }
    this.inner.target = undefined;
    this.inner.close();
  }

  private later(): void {
    if (this.isTurnDue)
      return;
    this.isTurnDue = true;
    this.platform.defer(this.onTurn);
  }

  /** What a call of the program has made due. */
  private readonly onTurn = (): void => {
    this.isTurnDue = false;
    if (this.isClosed)
      return;
    this.sender.flush();
    this.pull();
    if (this.isClosed)
      return;
    if (this.isWritableDue && this.sender.isEmpty && !this.isOver) {
      this.isWritableDue = false;
      this.callbacks.onWritable?.call(this, this.platform.capacity);
    }
    this.tellEnd();
  };

  private onInnerReadable(count: number): void {
    this.innerUnread = count;
    this.pull();
    if (!this.isClosed)
      this.tellEnd();
  }

  private onInnerWritable(count: number): void {
    this.sender.room = count;
    if (!this.isUpgraded) {
      this.pull();
      this.tellEnd();
      return;
    }
    if (this.sender.isEmpty)
      return;
    this.sender.flush();
    if (this.sender.isEmpty)
      this.later();
  }

  private end(): void {
    this.isOver = true;
    this.sender.clear();
    this.tellEnd();
  }

  private tellEnd(): void {
    if (!this.isOver || this.isEndTold || this.isClosed || this.isUpgraded && this.receivedEnd > this.receivedStart)
      return;
    this.isEndTold = true;
    this.callbacks.onError?.call(this);
  }

  /** Brings as much as there is room for, and tells of it. */
  private pull(): void {
    if (!this.isUpgraded && this.sender.room === 0)
      return; // there could be no answer
    const before = this.receivedEnd - this.receivedStart;
    while (this.innerUnread > 0 && !this.isOver && !this.isClosed) {
      if (this.receivedStart > 0) {
        this.received.copyWithin(0, this.receivedStart, this.receivedEnd);
        this.receivedEnd -= this.receivedStart;
        this.receivedStart = 0;
      }
      const room = this.isUpgraded ? this.platform.capacity - this.receivedEnd : LONGEST_REQUEST - this.receivedEnd;
      const length = Math.min(room, this.innerUnread, this.platform.capacity);
      if (length <= 0)
        break;
      const buffer = this.landing.buffer as ArrayBuffer;
      buffer.resize(length);
      this.inner.read(this.landing);
      this.innerUnread -= length;
      if (this.isUpgraded) this.takeFrames(0, length);
      else this.takeRequest(length);
    }
    const unread = this.receivedEnd - this.receivedStart;
    if (this.isUpgraded && !this.isClosed && unread > 0 && (unread > before || before === 0))
      this.callbacks.onReadable?.call(this, unread);
  }

  private takeRequest(length: number): void {
    const { landing, platform, received } = this;
    for (let at = 0; at < length; ++at) {
      received[this.receivedEnd++] = landing[at]!;
      if (!isEndOfHead(received, this.receivedEnd)) {
        if (this.receivedEnd === LONGEST_REQUEST)
          this.refuse(answerUpgrade('', platform.acceptFor));
        continue;
      }
      let text = '';
      for (let index = 0; index < this.receivedEnd; ++index)
        text += String.fromCharCode(received[index]!);
      this.receivedEnd = 0;
      const upgrade = answerUpgrade(text, platform.acceptFor);
      if (upgrade.problem !== '') {
        this.refuse(upgrade);
        return;
      }
      this.sender.sayText(upgrade.answer);
      this.isUpgraded = true;
      this.isWritableDue = true;
      this.later();
      this.takeFrames(at + 1, length);
      return;
    }
  }

  private refuse({ answer, problem }: Upgrade): void {
    this.platform.onViolation(this.inner.remoteAddress, problem);
    this.sender.sayText(answer);
    this.isOver = true;
  }

  private takeFrames(from: number, to: number): void {
    const { control, landing, reader, received } = this;
    for (let at = from; at < to && !this.isOver;)
      if (reader.phase === HEADER) {
        const phase = reader.take(landing[at++]!);
        if (phase === CONTROL && reader.remaining === 0)
          this.handleControl();
        else if (phase === FAILED)
          this.violate();
      } else {
        const length = Math.min(reader.remaining, to - at);
        reader.unmask(landing, at, at + length);
        const isData = reader.phase === DATA;
        for (let index = 0; index < length; ++index)
          if (isData)
            received[this.receivedEnd++] = landing[at + index]!;
          else
            control[this.controlLength++] = landing[at + index]!;
        at += length;
        reader.remaining -= length;
        if (reader.remaining > 0)
          continue;
        if (isData)
          reader.endFrame();
        else
          this.handleControl();
      }
  }

  private handleControl(): void {
    const { control, controlLength, reader } = this;
    this.controlLength = 0;
    reader.endFrame();
    if (reader.opcode === PING)
      this.sender.sendControl(PONG, control, controlLength);
    else if (reader.opcode === CLOSE) {
      this.sender.flush();
      this.sender.close(controlLength < 2 ? NORMAL_CLOSURE : control[0]! << 8 | control[1]!);
      this.isOver = true;
    }
  }

  private violate(): void {
    const { closeCode, violation } = this.reader;
    this.platform.onViolation(this.inner.remoteAddress, `breaks a rule of WebSocket: ${violation}`);
    this.sender.flush();
    this.sender.close(closeCode);
    this.isOver = true;
  }
}

const RETURN = 13;
const NEWLINE = 10;

const isEndOfHead = (bytes: Uint8Array, end: number): boolean => end >= 4 && bytes[end - 1] === NEWLINE
  && bytes[end - 2] === RETURN && bytes[end - 3] === NEWLINE && bytes[end - 4] === RETURN;
