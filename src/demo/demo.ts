/**
 * `ringbridge run` without a file: everything that a gateway needs in one process. Simulated nodes and sensors publish
 * to the gateway, the gateway to an embedded broker, all over TCP on this computer only. What happens is shown as a
 * live view, or, when the output is no terminal, as plain lines.
 */
import type { LogLevel } from '../config/configuration.ts';
import { statusOf, type Status } from '../gateway/status.ts';
import { DemoBroker, findFreePort } from './broker.ts';
import { ADDRESS, DemoCast, demoConfiguration, REMOTE_PREFIX, WILL_PAYLOAD, WILL_TOPIC } from './cast.ts';
import { durationOf, type ViewSize } from '../host/frame.ts';
import { INTERRUPT, Screen } from '../host/screen.ts';
import { describeStore } from '../host/status-view.ts';
import { BrokerStatistics, Rate, textOfPayload } from './statistics.ts';
import { Log, messageOf, printable } from '../host/log.ts';
import type { PageOpening } from '../host/page-opening.ts';
import { openDemoPage } from './page.ts';
import { type RunningGateway, startGateway } from '../host/run.ts';
import { render, type View, type ViewEvent } from './view.ts';

const GATEWAY_PORT = 1883;
const BROKER_PORT = 1884;

/** Milliseconds. */
const TICK = 250;
const STATUS_INTERVAL = 5000;
/** Saying goodbye takes no longer. */
const STOP_TIMEOUT = 1800;
const GOODBYE_TIMEOUT = 500;
const GOODBYE_CHECK = 10;

/** Events that are kept for the view. */
const MOST_EVENTS = 100;

const FAILURE = 1;

export async function runDemo(): Promise<number> {
  let end!: (exitCode: number) => void;
  const ended = new Promise<number>(resolve => end = resolve);
  const demo = new Demo(end);
  let signalCount = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (++signalCount > 1)
      process.exit(signal === 'SIGINT' ? 130 : 143);
    end(0);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals)
    process.on(signal, onSignal);
  process.on('uncaughtException', demo.crash);
  process.stdout.once('error', () => end(0)); // nobody watches any more
  try {
    await demo.start();
    return await ended;
  } catch (error) {
    process.stderr.write(`ringbridge: ${messageOf(error)}\n`);
    return FAILURE;
  } finally {
    await demo.stop();
    process.off('uncaughtException', demo.crash);
    for (const signal of signals)
      process.off(signal, onSignal);
  }
}

class Demo {
  private readonly end: (exitCode: number) => void;
  private readonly screen: Screen | undefined;
  private readonly log = new Log(line => this.onLine(line));
  private readonly events: ViewEvent[] = [];
  private readonly atBroker = new BrokerStatistics();
  private readonly rates = { fromNodes: new Rate(), forBroker: new Rate(), atBroker: new Rate() };
  private ratesNow: View['rates'] = { fromNodes: 0, forBroker: 0, atBroker: 0 };
  private broker: DemoBroker | undefined;
  private gateway: RunningGateway | undefined;
  private cast: DemoCast | undefined;
  private ticking: NodeJS.Timeout | undefined;
  private reporting: NodeJS.Timeout | undefined;
  private page: PageOpening | undefined;
  private isPlugged = true;
  /** Most messages that waited while the plug was pulled; undefined when that is over. */
  private stored: number | undefined;

  constructor(end: (exitCode: number) => void) {
    this.end = end;
    if (Screen.isPossible(process.stdout))
      this.screen = new Screen(process.stdin, process.stdout, size => this.draw(size), key => this.onKey(key));
  }

  /** @throws Error when the ports cannot be had */
  async start(): Promise<void> {
    const broker = this.broker = await DemoBroker.start(ADDRESS, BROKER_PORT, {
      onMessage: (topic, payload) => this.onBrokerMessage(topic, textOfPayload(payload)),
      onClientConnected: identifier => this.onBrokerClient(identifier, 'connected to'),
      onClientGone: identifier => this.onBrokerClient(identifier, 'left'),
    });
    this.sayPort('broker', broker.port, BROKER_PORT);
    const port = await findFreePort(ADDRESS, GATEWAY_PORT);
    this.sayPort('gateway', port, GATEWAY_PORT);
    const configuration = demoConfiguration(port, broker.port);
    const gateway = this.gateway = await startGateway(configuration, this.log, message => {
      this.log.write('error', message);
      this.end(FAILURE);
    });
    this.page = await openDemoPage(gateway.runtime, this.log,
      { isIn: () => this.isPlugged, toggle: () => this.togglePlug() });
    this.cast = new DemoCast(gateway.port, this.log);
    if (this.screen === undefined)
      this.sayCommands(gateway.port);
    else
      this.screen.open();
    this.cast.start();
    this.ticking = setInterval(() => this.tick(), TICK);
    if (this.screen === undefined)
      this.reporting = setInterval(() => this.report(), STATUS_INTERVAL);
  }

  /** In two seconds at most. */
  async stop(): Promise<void> {
    clearInterval(this.ticking);
    clearInterval(this.reporting);
    const summary = this.summary();
    const timeout = new Promise<void>(resolve => setTimeout(resolve, STOP_TIMEOUT).unref());
    await Promise.race([timeout, this.stopAll()]);
    this.screen?.close();
    if (summary !== undefined)
      print(summary);
  }

  /** A defect. The screen is given back first, or nobody could read what it was. */
  readonly crash = (error: unknown): void => {
    this.screen?.close();
    process.stderr.write(`a defect of ringbridge, please report it: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
    process.exit(FAILURE);
  };

  /** Those who send first. */
  private async stopAll(): Promise<void> {
    this.page?.close();
    await this.cast?.stop();
    await this.untilCastIsGone();
    await this.gateway?.stop();
    await this.broker?.stop();
  }

  /** Their DISCONNECTs are on the way; a gateway that stops first would not read them. */
  private async untilCastIsGone(): Promise<void> {
    for (let waited = 0; waited < GOODBYE_TIMEOUT && this.cast?.isKnownTo(this.status().nodes); waited += GOODBYE_CHECK)
      await new Promise(resolve => setTimeout(resolve, GOODBYE_CHECK));
  }

  private onKey(key: string): void {
    switch (key) {
      case 'u':
        this.togglePlug();
        break;
      case 'n':
        this.cast?.killOne();
        break;
      case 'q':
      case INTERRUPT:
        process.emit('SIGINT', 'SIGINT');
    }
  }

  private togglePlug(): void {
    const { gateway, log } = this;
    if (gateway === undefined)
      return;
    log.forget(''); // what is done on purpose is news each time
    this.isPlugged = !this.isPlugged;
    if (this.isPlugged) {
      log.write('info', 'the upstream plug is back in');
      gateway.runtime.joinNetwork();
    } else {
      log.write('info', 'the upstream plug is pulled: messages wait in the store');
      this.stored = 0;
      gateway.runtime.later(() => gateway.runtime.upstream.unplug());
    }
  }

  private onBrokerMessage(topic: string, payload: string): void {
    if (this.atBroker.count === 0)
      this.log.write('info',
        `first message at the broker, ${(performance.now() / 1000).toFixed(1)} s after the start: ${topic} ${payload}`);
    else if (topic === REMOTE_PREFIX + WILL_TOPIC && payload === WILL_PAYLOAD)
      this.log.write('info', `the Will has arrived at the broker: ${topic} ${payload}`);
    else if (isOfGuest(topic))
      this.log.write('info', `at the broker: ${topic} ${payload}`);
    this.atBroker.add(topic, payload);
  }

  private onBrokerClient(identifier: string, what: string): void {
    if (identifier !== this.gateway?.runtime.gateway.configuration.upstream.remote_clientid)
      this.log.write('info', `client "${identifier}" ${what} the broker`);
  }

  private tick(): void {
    const { counters, store, upstream } = this.status();
    const now = performance.now();
    this.ratesNow = {
      fromNodes: this.rates.fromNodes.update(now, counters.receivedFromNodes),
      forBroker: this.rates.forBroker.update(now, counters.acceptedForUpstream),
      atBroker: this.rates.atBroker.update(now, this.atBroker.count),
    };
    if (this.stored === undefined)
      return;
    this.stored = Math.max(this.stored, store.count);
    if (this.isPlugged && upstream.state === 'connected' && store.count === 0) {
      this.log.write('info', `all that waited has arrived: ${this.stored} messages, ${store.dropped} dropped`);
      this.stored = undefined;
    }
  }

  private status(): Status {
    return statusOf(this.gateway!.runtime, performance.now() | 0);
  }

  // Live view

  private onLine(line: string): void {
    if (this.screen === undefined) {
      print(line);
      return;
    }
    const [, level, ...words] = line.split(' ');
    this.events.push({ time: new Date().toTimeString().slice(0, 8), level: level as LogLevel, text: words.join(' ') });
    if (this.events.length > MOST_EVENTS)
      this.events.shift();
  }

  private draw(size: ViewSize): string {
    const status = this.status();
    const { port } = this.gateway!;
    return render({
      status: this.isPlugged ? status
        : { ...status, advice: 'you pulled the upstream plug: messages wait in the store until it is back' },
      uptime: performance.now() / 1000,
      gateway: `${ADDRESS}:${port}`,
      broker: `${ADDRESS}:${this.broker!.port}`,
      rates: this.ratesNow,
      brokerCount: this.atBroker.count,
      nodes: this.cast!.view(status.nodes),
      topics: this.atBroker.topics(isOfGuest),
      events: this.events,
      commands: this.commands(port),
      keys: process.stdin.isTTY
        ? `u: ${this.isPlugged ? 'pull the upstream plug' : 'put the upstream plug back'}   n: make a node vanish   q: quit`
        : 'Ctrl-C quits',
    }, size);
  }

  // Plain lines

  private sayPort(what: string, port: number, wanted: number): void {
    if (port !== wanted)
      this.log.write('info', `port ${wanted} is in use: the ${what} listens on ${port}`);
  }

  private sayCommands(port: number): void {
    print(`ready listener=${ADDRESS}:${port} upstream=mqtt://${ADDRESS}:${this.broker!.port} page=${this.page!.url}`);
    for (const { command, purpose } of this.commands(port))
      print(`${purpose}: ${command}`);
  }

  private commands(port: number): View['commands'] {
    const brokerPort = this.broker!.port;
    return [
      { purpose: 'page', command: this.page?.url ?? 'none' },
      { purpose: 'watch', command: `mosquitto_sub -h ${ADDRESS} -p ${brokerPort} -t '${REMOTE_PREFIX}#' -v` },
      { purpose: 'send', command: `mosquitto_pub -h ${ADDRESS} -p ${port} -t hello -m world` },
      { purpose: 'command',
        command: `mosquitto_pub -h ${ADDRESS} -p ${brokerPort} -t ${REMOTE_PREFIX}command/light -m on` },
    ];
  }

  private report(): void {
    const { nodes, store, upstream } = this.status();
    const { atBroker } = this.ratesNow;
    const seen = this.cast!.view(nodes);
    const connected = seen.filter(({ isConnected }) => isConnected).length;
    const values =
      this.atBroker.topics(isOfGuest).slice(0, 6).map(({ payload, topic }) => `${topic}=${payload}`).join(' ');
    print(printable(`status upstream: ${upstream.state}; nodes: ${connected} of ${seen.length}; ${describeStore(store)}; broker: ${this.atBroker.count} messages, ${atBroker.toFixed(1)}/s; ${values}`));
  }

  private summary(): string | undefined {
    return this.gateway === undefined ? undefined
      : `stopped after ${durationOf(performance.now() / 1000)}: ${this.atBroker.count} messages reached the broker, ${this.status().store.dropped} dropped`;
  }
}

/** Topics that nobody of the cast publishes: somebody has tried one of the commands. */
const CAST_TOPICS = ['air/', 'pump/', 'weather/', 'door/', 'rover/'].map(level => REMOTE_PREFIX + level);
const isOfGuest = (topic: string): boolean => !CAST_TOPICS.some(start => topic.startsWith(start));

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
