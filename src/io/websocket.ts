/**
 * A TCP socket within WebSocket, as io/transport.ts describes sockets, in both roles: MQTT is a stream of bytes in
 * binary frames, whose borders mean nothing [MQTT311-6.0.0-1] [MQTT311-6.0.0-2]. On top of any socket of that shape. It
 * keeps no bytes of its own: payload goes from the socket below straight to where the program reads it, and the mask
 * is taken off there; what is written goes as one frame. Headers and control frames pass through one small area, which
 * all share. Ping is answered, Close is answered and ends the connection, what breaks a rule ends it with a code, and
 * `onViolation` says which rule it was.
 */
import type { ExactArea } from './exact-area.ts';
import type { TCPCallbacks, TCPConstructor, TCPOptions, TCPSocket } from './transport.ts';
import { CLOSE, DATA, CONTROL, FAILED, FrameReader, HEADER, isCloseCode, LONGEST_CONTROL, NORMAL_CLOSURE, PING,
  PROTOCOL_ERROR } from './websocket-frames.ts';
import { LONGEST_HEAD, type Opening } from './websocket-opening.ts';
import { RESERVE, throwError, WebSocketSender } from './websocket-sender.ts';

/** Of the one area: control frames are the longest that go through it at once. */
export const AREA_LENGTH = LONGEST_CONTROL;
export interface WebSocketPlatform {
  /** Of the socket below. */
  readonly TCP: TCPConstructor;
  /** Of AREA_LENGTH bytes; for all connections. */
  readonly area: ExactArea;
  /** Calls back soon, and not from inside the call. */
  readonly defer: (callback: () => void) => void;
  /** In the role of a client: fills it with bytes that nobody can foretell (section 10.3). */
  readonly fillMask?: (mask: Uint8Array) => void;
  onViolation(address: string | undefined, violation: string): void;
  /** In the role of a client: the connection below stands, and has been asked for a WebSocket. */
  onRequested?(): void;
}

// States

const OPENING = 0;
const OPEN = 1;
/** Nothing more comes, and nothing more goes. */
const OVER = 2;
const CLOSED = 3;

export class WebSocketTCP implements TCPSocket {
  target: unknown = undefined;
  private readonly platform: WebSocketPlatform;
  private readonly opening: Opening;
  private readonly callbacks: TCPCallbacks;
  private readonly inner: TCPSocket;
  private readonly reader: FrameReader;
  private readonly sender: WebSocketSender;
  private state = OPENING;
  /** Of the other side of the handshake. */
  private head = '';
  private isRequested = false;
  private isPulling = false;
  private isPullDue = false;
  /** Unread bytes in the socket below. */
  private innerUnread = 0;
  /** Of these, payload of which the program was told, less what it has read. */
  private offered = 0;
  private readonly control = new Uint8Array(LONGEST_CONTROL);
  private controlLength = 0;

  private static readonly innerCallbacks: TCPCallbacks = Object.freeze<TCPCallbacks>({
    onReadable(this: TCPSocket, count: number) {
      (this.target as WebSocketTCP | undefined)?.onInnerReadable(count);
    },
    onWritable(this: TCPSocket, count: number) {
      (this.target as WebSocketTCP | undefined)?.onInnerWritable(count);
    },
    onError(this: TCPSocket) {
      (this.target as WebSocketTCP | undefined)?.end();
    },
  });

  /** @throws what the socket below throws */
  constructor(options: TCPOptions, platform: WebSocketPlatform, opening: Opening) {
    this.platform = platform;
    this.opening = opening;
    this.callbacks = options;
    this.reader = new FrameReader(platform.fillMask === undefined);
    const inner = this.inner = new platform.TCP({ ...options, ...WebSocketTCP.innerCallbacks });
    inner.target = this;
    this.sender = new WebSocketSender(inner, platform);
  }

  get remoteAddress(): string | undefined {
    return this.inner.remoteAddress;
  }

  get failure(): number | undefined {
    return this.inner.failure;
  }

  read(view: Uint8Array): number | undefined {
    if (this.state === CLOSED)
      throwMisuse();
    const { offered, reader } = this;
    if (offered === 0)
      return undefined;
    const { byteLength: length } = view;
    if (length === 0 || length > offered)
      throwError('invalid');
    this.inner.read(view);
    reader.unmask(view, length);
    this.innerUnread -= length;
    this.offered = offered - length;
    reader.remaining -= length;
    if (reader.remaining === 0)
      reader.endFrame();
    if (!this.isPulling && !this.isPullDue && this.offered === 0 && this.innerUnread > 0) {
      this.isPullDue = true;
      this.platform.defer(this.onPullDue);
    }
    return length;
  }

  write(view: Uint8Array): number | undefined {
    if (this.state === CLOSED)
      throwMisuse();
    if (this.state !== OPEN)
      throwError('not ready');
    return this.sender.write(view);
  }

  close(): void {
    const { inner, opening, sender, state } = this;
    if (state === CLOSED)
      return;
    if (state === OPEN)
      sender.sendClose(NORMAL_CLOSURE);
    else if (state === OPENING && this.head.length > 0 && opening.farewell !== undefined)
      sender.say(opening.farewell);
    this.state = CLOSED;
    inner.target = undefined;
    this.drain();
    inner.close();
  }

  private readonly onPullDue = (): void => {
    this.isPullDue = false;
    if (this.state !== CLOSED)
      this.pull();
  };

  private onInnerReadable(count: number): void {
    this.innerUnread = count;
    this.pull();
  }

  private onInnerWritable(count: number): void {
    const { opening: { request }, sender } = this;
    sender.room = count;
    if (this.state === OPEN)
      this.tellWritable();
    else if (this.state === OPENING) {
      if (!this.isRequested && request !== undefined) {
        this.isRequested = true;
        sender.say(request);
        this.platform.onRequested?.();
      }
      this.pull();
    }
  }

  private tellWritable(): void {
    const count = this.sender.promise();
    if (count > 0)
      this.callbacks.onWritable?.call(this, count);
  }

  /** Tells the program that it is over. */
  private end(): void {
    if (this.state >= OVER)
      return;
    this.state = OVER;
    this.callbacks.onError?.call(this);
  }

  /** Takes what has come, up to payload that the program leaves unread. */
  private pull(): void {
    const { callbacks, reader } = this;
    this.isPulling = true;
    while (this.innerUnread > 0 && this.state <= OPEN)
      if (this.state === OPENING) {
        if (this.sender.room < RESERVE)
          break; // there could be no answer
        this.takeHead();
      } else if (reader.phase === DATA) {
        const count = reader.remaining < this.innerUnread ? reader.remaining : this.innerUnread;
        if (count === this.offered)
          break;
        this.offered = count;
        callbacks.onReadable?.call(this, count);
        if (this.offered > 0)
          break;
      } else if (reader.phase === HEADER)
        this.takeHeader();
      else
        this.takeControl();
    this.isPulling = false;
  }

  /** One byte at a time: what follows the head is not to be read with it. */
  private takeHead(): void {
    const { area, onViolation } = this.platform;
    const bytes = area.exact(1);
    this.inner.read(bytes);
    const byte = bytes[0]!;
    area.restore();
    --this.innerUnread;
    const head = this.head += String.fromCharCode(byte);
    const isWhole = byte === NEWLINE && head.endsWith('\r\n\r\n');
    if (!isWhole && head.length < LONGEST_HEAD && (head.length > 1 || byte >= A && byte <= Z))
      return;
    this.head = '';
    const { answer, problem } = this.opening.judge(head);
    if (answer !== '')
      this.sender.say(answer);
    if (problem === '') {
      this.state = OPEN;
      this.tellWritable();
      return;
    }
    onViolation(this.inner.remoteAddress, problem);
    this.end();
  }

  private takeHeader(): void {
    const { inner, platform: { area }, reader } = this;
    const { missing } = reader;
    const length = missing < this.innerUnread ? missing : this.innerUnread;
    const bytes = area.exact(length);
    inner.read(bytes);
    this.innerUnread -= length;
    for (let at = 0; at < length && reader.phase === HEADER; ++at)
      reader.take(bytes[at]!);
    area.restore();
    if (reader.phase === FAILED)
      this.violate(reader.violation, reader.closeCode);
    else if (reader.phase === CONTROL && reader.remaining === 0)
      this.handleControl();
  }

  private takeControl(): void {
    const { control, inner, platform: { area }, reader } = this;
    const length = reader.remaining < this.innerUnread ? reader.remaining : this.innerUnread;
    const bytes = area.exact(length);
    inner.read(bytes);
    this.innerUnread -= length;
    reader.unmask(bytes, length);
    for (let at = 0; at < length; ++at)
      control[this.controlLength++] = bytes[at]!;
    area.restore();
    reader.remaining -= length;
    if (reader.remaining === 0)
      this.handleControl();
  }

  private handleControl(): void {
    const { control, controlLength, reader } = this;
    this.controlLength = 0;
    reader.endFrame();
    if (reader.opcode === PING) {
      this.sender.sendPong(control, controlLength);
      return;
    }
    if (reader.opcode !== CLOSE)
      return;
    const code = controlLength === 0 ? NORMAL_CLOSURE : control[0]! << 8 | control[1]!;
    if (!isCloseCode(code)) {
      this.violate('a Close frame with a code that nobody may send', PROTOCOL_ERROR);
      return;
    }
    this.sender.sendClose(code);
    this.end();
  }

  private violate(violation: string, closeCode: number): void {
    this.platform.onViolation(this.inner.remoteAddress, `breaks a rule of WebSocket: ${violation}`);
    this.sender.sendClose(closeCode);
    this.end();
  }

  /** With bytes left unread a board resets the connection, and what was written last is lost. */
  private drain(): void {
    const { inner, platform: { area } } = this;
    while (this.innerUnread > 0) {
      const length = this.innerUnread < AREA_LENGTH ? this.innerUnread : AREA_LENGTH;
      inner.read(area.exact(length));
      this.innerUnread -= length;
    }
    area.restore();
  }
}

function throwMisuse(): never {
  throw new SyntaxError('invalid host data');
}

const A = 65;
const Z = 90;
const NEWLINE = 10;
