/**
 * The log: one line per event, `timestamp level text`. What repeats itself is said a few times, then counted and said
 * again with the count when ten minutes have passed; what floods is cut off. So a broker that is away for a week costs a
 * line every ten minutes. What one node does is no repetition of what another one does. Names that nodes gave themselves
 * cannot break a line or reach the terminal as a control sequence.
 */
import type { SensorConfiguration } from '../config/configuration.ts';
import { adviceForUpstream, describeEvent, describeReason, nodeName } from '../gateway/event-texts.ts';
import * as Event from '../config/events.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { RuntimeObserver } from '../io/runtime.ts';
import * as ReasonCode from '../packet/reason-code.ts';

export type Level = 'info' | 'warning' | 'error';

/** Milliseconds after which a repeated line is said again. */
export const REPEAT_INTERVAL = 600_000;
/** Lines about nodes within REPEAT_INTERVAL; the rest is counted. Of all lines it is twice as many: strangers cannot keep the rest out. */
export const LINE_LIMIT = 2000;
/** Different lines that are remembered. */
const MEMORY = 2000;

/** Times that something is said before it is only counted. */
const ONCE = 1;
const A_FEW_TIMES = 3;
const TEN_TIMES = 10;

interface Repetition {
  level: Level;
  text: string;
  since: number;
  said: number;
  unsaid: number;
}

export class Log {
  private readonly output: (line: string) => void;
  private readonly now: () => number;
  private readonly repetitions = new Map<string, Repetition>();
  private intervalStart = 0;
  private lineCount = 0;
  private leftOut = 0;

  /** @param output takes a line without its end @param now milliseconds since 1970 */
  constructor(output: (line: string) => void, now: () => number = Date.now) {
    this.output = output;
    this.now = now;
  }

  /**
   * @param key what makes this line a repetition of another one
   * @param times how often it is said within REPEAT_INTERVAL
   * @param limit said only if fewer lines than this have been said within REPEAT_INTERVAL
   * @returns whether it was said
   */
  write(level: Level, text: string, key = text, times = A_FEW_TIMES, limit = 2 * LINE_LIMIT): boolean {
    const now = this.now();
    const repetition = this.repetitions.get(key);
    if (repetition === undefined) {
      this.remember(key, { level, text, since: now, said: 1, unsaid: 0 });
      return this.say(level, text, limit);
    }
    repetition.text = text;
    if (now - repetition.since >= REPEAT_INTERVAL) {
      const said = this.say(level, text + countOf(repetition.unsaid), limit);
      Object.assign(repetition, { since: now, said: 1, unsaid: 0 });
      return said;
    }
    if (repetition.said < times) {
      ++repetition.said;
      return this.say(level, text, limit);
    }
    ++repetition.unsaid;
    return false;
  }

  /** Whatever begins like this is news again. */
  forget(keyPrefix: string): void {
    for (const key of this.repetitions.keys())
      if (key.startsWith(keyPrefix))
        this.repetitions.delete(key);
  }

  /** Says what has only been counted for long enough. To be called now and then. */
  flush(): void {
    const now = this.now();
    for (const [key, repetition] of this.repetitions) {
      if (now - repetition.since < REPEAT_INTERVAL)
        continue;
      if (repetition.unsaid === 0)
        this.repetitions.delete(key);
      else {
        this.say(repetition.level, repetition.text + countOf(repetition.unsaid), LINE_LIMIT);
        Object.assign(repetition, { since: now, said: 1, unsaid: 0 });
      }
    }
  }

  private remember(key: string, repetition: Repetition): void {
    if (this.repetitions.size >= MEMORY)
      this.repetitions.delete(this.repetitions.keys().next().value!);
    this.repetitions.set(key, repetition);
  }

  private say(level: Level, text: string, limit: number): boolean {
    const now = this.now();
    if (now - this.intervalStart >= REPEAT_INTERVAL) {
      if (this.leftOut > 0)
        this.print(now, 'warning', `${this.leftOut} lines were left out: more than ${LINE_LIMIT} in ${REPEAT_INTERVAL / 60_000} minutes`);
      this.intervalStart = now;
      this.lineCount = this.leftOut = 0;
    }
    if (this.lineCount >= limit) {
      ++this.leftOut;
      return false;
    }
    ++this.lineCount;
    this.print(now, level, text);
    return true;
  }

  private print(now: number, level: Level, text: string): void {
    this.output(`${new Date(now).toISOString()} ${level} ${printable(text)}`);
  }
}

const countOf = (unsaid: number): string => unsaid === 0 ? '' : ` (${unsaid} more time${unsaid === 1 ? '' : 's'} since it was last said)`;

/** Control characters, line ends and marks that turn the direction of writing become \u escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What LogObserver needs of io/runtime.ts; it exists only after its observer. */
export interface LoggedRuntime {
  readonly gateway: Gateway;
  readonly upstream: { readonly address: { host: string; port: number } };
  /** Where the connection of a session comes from. */
  addressOf(session: number): string | undefined;
}

export interface ListenerCallbacks {
  onListening(port: number): void;
  onListenerError(message: string): void;
}

const FAILED = 'upstream failed';

/** A Server that ends this many sessions in a row, each within so many milliseconds, mostly gives them to someone else. */
const CLASH_COUNT = 3;
const CLASH_INTERVAL = 10_000;

/** Their subject is the index of a session. */
const NODE_EVENTS: ReadonlySet<number> = new Set([
  Event.NODE_CONNECTED, Event.NODE_CLOSED, Event.NODE_REFUSED, Event.WILL_PUBLISHED, Event.OVERSIZE_DROPPED, Event.NODE_QUEUE_FULL,
  Event.MESSAGE_REFUSED, Event.SUBSCRIPTIONS_FULL, Event.ACCESS_DENIED, Event.RATE_LIMITED, Event.SESSION_EVICTED,
]);

/** Turns what happens in a gateway into lines. */
export class LogObserver implements RuntimeObserver {
  runtime: LoggedRuntime | undefined;
  private readonly log: Log;
  private readonly listener: ListenerCallbacks;
  private readonly now: () => number;
  private isUpstreamConnected = false;
  private connectedAt = 0;
  private shortSessionCount = 0;

  constructor(log: Log, listener: ListenerCallbacks, now: () => number = Date.now) {
    this.log = log;
    this.listener = listener;
    this.now = now;
  }

  onEvent(event: number, subject: number, detail: number): void {
    const { log } = this;
    const { gateway } = this.runtime!;
    if (event === Event.UPSTREAM_CLOSED) {
      this.logUpstreamClosed(detail);
      return;
    }
    if (subject !== Event.UPSTREAM && NODE_EVENTS.has(event)) {
      this.logNode(event, subject, detail);
      return;
    }
    const text = describeEvent(gateway, event, subject, detail);
    switch (event) {
      case Event.UPSTREAM_CONNECTED:
        this.isUpstreamConnected = true;
        this.connectedAt = this.now();
        if (log.write('info', `${this.upstreamName()} connected${detail === 1 ? ', session present' : ''}`))
          log.forget(FAILED);
        break;
      case Event.STORE_RESTORED:
        log.write('info', text);
        break;
      default: // numbers in the text do not make it news
        log.write('warning', text, `${event} ${subject}`, ONCE);
    }
  }

  /** What has to do with one node is a repetition only for that node, or for the address of one that has not said who it is. */
  private logNode(event: number, subject: number, detail: number): void {
    const { log } = this;
    const { gateway } = this.runtime!;
    const name = nodeName(gateway, subject);
    let text = describeEvent(gateway, event, subject, detail);
    if (gateway.sessions[subject]!.clientIdentifierLength === 0)
      text = text.replace(name, `${name} from ${this.runtime!.addressOf(subject) ?? 'an unknown address'}`);
    switch (event) {
      case Event.NODE_CONNECTED:
      case Event.WILL_PUBLISHED:
        log.write('info', text, text, A_FEW_TIMES, LINE_LIMIT);
        break;
      case Event.NODE_CLOSED: {
        const isWanted = detail === ReasonCode.SUCCESS || detail === ReasonCode.SERVER_SHUTTING_DOWN;
        log.write(isWanted ? 'info' : 'warning', text, text, isWanted ? A_FEW_TIMES : TEN_TIMES, LINE_LIMIT);
        break;
      }
      case Event.NODE_REFUSED:
        log.write('warning', text, text, TEN_TIMES, LINE_LIMIT);
        break;
      case Event.SESSION_EVICTED:
        log.write('warning', text, text, ONCE, LINE_LIMIT);
        break;
      default: // numbers in the text do not make it news
        log.write('warning', text, `${event} ${event === Event.ACCESS_DENIED ? detail : ''} ${name}`, ONCE, LINE_LIMIT);
    }
  }

  onListening(port: number): void {
    this.listener.onListening(port);
  }

  onListenerError(message: string): void {
    this.listener.onListenerError(message);
  }

  onStoreRemark(message: string, isUsed: boolean): void {
    this.log.write(isUsed ? 'warning' : 'error', isUsed ? `store: ${message}` : `store: ${message}; messages are kept in memory only`);
  }

  onSensorFailed({ name }: SensorConfiguration, error: unknown): void {
    this.log.write('warning', `sensor "${name}" failed: ${messageOf(error)}; it is asked again, less and less often`);
  }

  onSensorRecovered({ name }: SensorConfiguration): void {
    this.log.write('info', `sensor "${name}" works again`);
  }

  onSensorExpired({ expire_after, name }: SensorConfiguration): void {
    this.log.write('warning', `sensor "${name}" has given no reading for ${expire_after} seconds: it is unavailable`);
  }

  onException(error: unknown): void {
    const text = `a defect of ringbridge, please report it: ${error instanceof Error ? error.stack ?? error.message : String(error)}`;
    this.log.write('error', text.replace(/\s*\n\s*/g, ' | '));
  }

  private logUpstreamClosed(reasonCode: number): void {
    const wasConnected = this.isUpstreamConnected;
    this.isUpstreamConnected = false;
    const name = this.upstreamName();
    const text = `${name}: ${describeReason(reasonCode)}${adviceForUpstream(reasonCode)}`;
    if (reasonCode === ReasonCode.SUCCESS) { // our own doing
      if (wasConnected)
        this.log.write('info', text);
    } else if (wasConnected) {
      this.log.write('warning', text);
      this.watchClash(reasonCode);
    } else
      this.log.write('warning', text, `${FAILED} ${name} ${reasonCode}`, ONCE);
  }

  /** Two Clients of one identifier throw each other out for ever (3.1.1 section 3.1.4); neither is told why. */
  private watchClash(reasonCode: number): void {
    const isShort = reasonCode === ReasonCode.NETWORK_CLOSED && this.now() - this.connectedAt < CLASH_INTERVAL;
    this.shortSessionCount = isShort ? this.shortSessionCount + 1 : 0;
    if (this.shortSessionCount < CLASH_COUNT)
      return;
    const identifier = this.runtime!.gateway.configuration.upstream.remote_clientid;
    this.log.write('warning', `${this.upstreamName()} keeps accepting and dropping this gateway: does another client call itself "${identifier}"? Give each one an upstream.remote_clientid of its own`, 'clash', ONCE);
  }

  private upstreamName(): string {
    const { host, port } = this.runtime!.upstream.address;
    return `upstream mqtt://${host}:${port}`;
  }
}

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error);
