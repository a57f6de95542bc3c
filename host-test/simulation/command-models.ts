/**
 * Commands on their way down, beside what store-world.ts has on its way up: a Server that sends them again until they
 * are acknowledged to the end, and nodes that subscribe once and then rely on their sessions. Written anew from the
 * specification.
 */
import { NodeModel, packet, publish, ServerModel, text, word } from './store-world.ts';

interface Command {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly identifier: number;
  wasSent: boolean;
  /** PUBACK or PUBREC has come: the gateway answers for it. */
  isTaken: boolean;
  isDone: boolean;
}

export class CommandServer extends ServerModel {
  readonly commands: Command[] = [];

  /** @returns the bytes, for a gateway that is connected */
  command(topic: string, payload: string, qos: number): number[] {
    const command = {
      topic, payload, qos, identifier: this.commands.length % 65_535 + 1, wasSent: false, isTaken: false, isDone: false,
    };
    this.commands.push(command);
    return this.bytesOf(command);
  }

  override answer(one: number[]): number[] {
    const [first = 0, high = 0, low = 0] = one;
    const command = this.commands.find(({ identifier, isDone }) => identifier === (high << 8 | low) && !isDone);
    switch (first >> 4) {
      case 4:
        if (command?.qos === 1)
          command.isTaken = command.isDone = true;
        return [];
      case 5:
        if (command !== undefined)
          command.isTaken = true;
        return [0x62, 2, high, low];
      case 7:
        if (command !== undefined)
          command.isDone = true;
        return [];
      case 1: return [...super.answer(one), ...this.resume()];
      default: return super.answer(one);
    }
  }

  private resume(): number[] {
    return this.commands.filter(({ isDone, wasSent }) => wasSent && !isDone).flatMap(command =>
      command.isTaken && command.qos === 2 ? [0x62, 2, ...word(command.identifier)] : this.bytesOf(command));
  }

  private bytesOf(command: Command): number[] {
    const bytes = publish(command.topic, command.payload, command.qos, command.identifier, command.wasSent ? 8 : 0);
    command.wasSent = true;
    return bytes;
  }
}

export class ListeningNode extends NodeModel {
  /** Payloads, in the order in which they came. */
  readonly got: string[] = [];
  /** Of each connection: whether its session was present. */
  readonly sessions: boolean[] = [];
  /** SUBACK has come. */
  isSubscribed = false;
  /** So many commands had been given before that, by this Server. */
  firstCommand: number | undefined;
  server: CommandServer | undefined;
  will: { topic: string; payload: string; keepAlive: number } | undefined;
  private readonly unreleased = new Set<number>();
  private readonly filter: string;
  private readonly qos: number;

  constructor(name: string, filter: string, qos: number) {
    super(name);
    this.filter = filter;
    this.qos = qos;
  }

  override connect(): number[] {
    const { isClean, name, will } = this;
    const flags = (isClean ? 2 : 0) | (will === undefined ? 0 : 0x0C);
    return packet(0x10, [...text('MQTT'), 4, flags, ...word(will?.keepAlive ?? 0), ...text(name),
      ...will === undefined ? [] : [...text(will.topic), ...text(will.payload)]]);
  }

  override connected(sessionPresent: boolean): number[] {
    this.sessions.push(sessionPresent);
    if (!sessionPresent) {
      this.unreleased.clear();
      if (this.isSubscribed && !this.isClean)
        this.lostSessions += 1;
    }
    const subscribe = this.isSubscribed && sessionPresent ? [] : packet(0x82, [0, 99, ...text(this.filter), this.qos]);
    return [...this.resume(), ...subscribe];
  }

  /** Times that a session was gone on which it relied. */
  lostSessions = 0;

  override answer(one: number[]): number[] {
    const [first = 0, ...body] = one;
    switch (first >> 4) {
      case 3: return this.take(first, body);
      case 6: {
        const identifier = body[0]! << 8 | body[1]!;
        this.unreleased.delete(identifier);
        return [0x70, 2, ...word(identifier)];
      }
      case 9:
        this.isSubscribed = body[2] !== 0x80;
        this.firstCommand ??= this.server?.commands.length;
        return [];
      default: return super.answer(one);
    }
  }

  private take(first: number, body: number[]): number[] {
    const qos = first >> 1 & 3;
    const length = body[0]! << 8 | body[1]!;
    const identifier = body[2 + length]! << 8 | body[3 + length]!;
    const payload = Buffer.from(body.slice(2 + length + (qos > 0 ? 2 : 0))).toString('latin1');
    if (qos < 2 || !this.unreleased.has(identifier))
      this.got.push(payload);
    if (qos === 2)
      this.unreleased.add(identifier);
    return qos === 0 ? [] : [qos === 1 ? 0x40 : 0x50, 2, ...word(identifier)];
  }
}
