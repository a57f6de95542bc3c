/** Turns what happens in a gateway into lines of the log: which level each has, and what repeats what. */
import type { SensorConfiguration } from '../config/configuration.ts';
import * as Event from '../config/events.ts';
import { type UpstreamAddress, urlOf } from '../config/upstream-address.ts';
import { adviceForUpstream, describeEvent, nodeName } from '../gateway/event-texts.ts';
import { describeFailure } from '../gateway/event-texts-nodes.ts';
import { describeUpstreamReason } from '../gateway/reason-texts.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { RuntimeObserver } from '../io/runtime.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { ServerSession } from '../session/server-session.ts';
import { A_FEW_TIMES, LINE_LIMIT, type Log, messageOf, ONCE, TEN_TIMES } from './log.ts';

/** What LogObserver needs of io/runtime.ts; it exists only after its observer. */
export interface LoggedRuntime {
  readonly gateway: Gateway;
  readonly upstream: { readonly address: UpstreamAddress };
  /** Where the connection of a session comes from, and the last one that found no place. */
  addressOf(session: number): string | undefined;
  readonly turnedAwayAddress?: string | undefined;
}

/** Longest user name that a line repeats. */
const LONGEST_NAME = 64;

export interface ListenerCallbacks {
  onListening(port: number): void;
  onListenerError(message: string): void;
}

const FAILED = 'upstream failed';
const PROBE = 'probe ';

/** Their subject is the index of a session. */
const NODE_EVENTS: ReadonlySet<number> = new Set([
  Event.NODE_CONNECTED, Event.NODE_CLOSED, Event.NODE_REFUSED, Event.WILL_PUBLISHED, Event.OVERSIZE_DROPPED,
    Event.NODE_QUEUE_FULL,
  Event.MESSAGE_TURNED_BACK, Event.NODE_SLOWED, Event.IDENTIFIER_FOUGHT_OVER,
  Event.MESSAGE_REFUSED, Event.SUBSCRIPTIONS_FULL, Event.ACCESS_DENIED, Event.RATE_LIMITED, Event.SESSION_EVICTED,
  Event.HELD_BY_FULL_STORE,
]);

export class LogObserver implements RuntimeObserver {
  runtime: LoggedRuntime | undefined;
  /** The user name that the connection of a session has given, right or wrong. */
  claimedNameOf: (session: ServerSession) => string | undefined = () => undefined;
  /** What is known of the reason of an end of upstream; empty: no more than the code says. */
  problemOf: (reasonCode: number) => string = () => '';
  private readonly log: Log;
  private readonly listener: ListenerCallbacks;
  private isUpstreamConnected = false;

  constructor(log: Log, listener: ListenerCallbacks) {
    this.log = log;
    this.listener = listener;
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
        if (log.write('info', `${this.upstreamName()} connected${detail === 1 ? ', session present' : ''}`))
          log.forget(FAILED);
        break;
      case Event.STORE_RESTORED:
      case Event.DISCOVERY_TOLD:
        log.write('info', text);
        break;
      case Event.IDENTIFIER_CLASH:
        log.write('warning', text.replace('upstream', this.upstreamName()), `${event}`, ONCE);
        break;
      case Event.VERSION_REFUSED:
        log.write('warning', text.replace('the broker', this.upstreamName()), text);
        break;
      case Event.UPSTREAM_CAUSE:
      case Event.BROKER_DEVIATES:
      case Event.FILTER_SET_ASIDE:
      case Event.MESSAGE_SET_ASIDE:
      case Event.MESSAGE_UNFIT:
        log.write('warning', text, text, ONCE);
        break;
      case Event.PROBE: // each change is news
        log.forget(PROBE);
        log.write('warning', text, PROBE);
        break;
      case Event.UNFIT_TOPIC:
      case Event.OVERSIZE_DROPPED: // the length does not make it news, the topic does
        log.write('warning', text, `${event} ${text.replace(/[0-9]+ bytes/, '')}`, ONCE);
        break;
      case Event.TURNED_AWAY:
        log.write('warning', text.replace('connection', `connection from ${this.runtime!.turnedAwayAddress ?? 'an unknown address'}`),
          `${event}`, ONCE);
        break;
      default: // numbers in the text do not make it news
        log.write('warning', text, `${event} ${subject}`, ONCE);
    }
  }

  /**
   * What has to do with one node is a repetition only for that node, or for the address of one that has not said who
   * it is.
   */
  private logNode(event: number, subject: number, detail: number): void {
    const { log } = this;
    const { gateway } = this.runtime!;
    const name = event === Event.IDENTIFIER_FOUGHT_OVER ? nodeName(gateway, subject) : this.fullNameOf(subject);
    const text = describeEvent(gateway, event, subject, detail, name);
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
      case Event.OVERSIZE_DROPPED:
        log.write('warning', text, `${event} ${text.replace(/[0-9]+ bytes/, '')}`, ONCE, LINE_LIMIT);
        break;
      case Event.ACCESS_DENIED: // each topic once
        log.write('warning', text, text, ONCE, LINE_LIMIT);
        break;
      default: // numbers in the text do not make it news
        log.write('warning', text, `${event} ${name}`, ONCE, LINE_LIMIT);
    }
  }

  /** Identifier, user and address. */
  private fullNameOf(subject: number): string {
    const { addressOf, gateway } = this.runtime!;
    const session = gateway.sessions[subject]!;
    const claimed = session.user >= 0 ? undefined : this.claimedNameOf(session)?.slice(0, LONGEST_NAME);
    const address = addressOf.call(this.runtime, subject) ?? 'an unknown address';
    return `${nodeName(gateway, subject)}${claimed === undefined ? '' : ` as user "${claimed}"`} from ${address}`;
  }

  onListening(port: number): void {
    this.listener.onListening(port);
  }

  onListenerError(message: string): void {
    this.listener.onListenerError(message);
  }

  onStoreRemark(message: string, isUsed: boolean): void {
    this.log.write(isUsed ? 'warning' : 'error', isUsed ? `store: ${message}`
      : `store: ${message}; ${describeFailure(this.runtime!.gateway)}; tried again every 30 seconds`);
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
    const { gateway } = this.runtime!;
    const problem = this.problemOf(reasonCode);
    const text = `${name}: ${problem || describeUpstreamReason(gateway, reasonCode) + adviceForUpstream(reasonCode)}`;
    if (reasonCode === ReasonCode.SUCCESS) { // our own doing, mostly
      if (wasConnected)
        this.log.write('info', text);
    } else if (wasConnected)
      this.log.write('warning', text);
    else
      this.log.write('warning', text, `${FAILED} ${name} ${problem || reasonCode}`, ONCE);
  }

  private upstreamName(): string {
    return `upstream ${urlOf(this.runtime!.upstream.address)}`;
  }
}
