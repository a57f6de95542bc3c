/** A gateway in this process: its platform, its authenticator, its listener's port, another configuration, its end. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Configuration, ListenerConfiguration, LogLevel } from '../config/configuration.ts';
import { NODE_CLOSED, NODE_CONNECTED } from '../config/events.ts';
import { withReloadRoom } from '../config/reload-room.ts';
import type { TLSStatus } from '../gateway/status-sources.ts';
import { planReload, type ReloadPlan, reloadRuntime } from '../io/reload.ts';
import type { Platform } from '../io/platform.ts';
import { Runtime } from '../io/runtime.ts';
import { isTrusted } from '../nodes/access-lengths.ts';
import { PasswordAuthenticator } from './authentication.ts';
import { CablePort, withCables } from './cable-port.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { FileStorage } from './file-storage.ts';
import { type Port, PortSet } from './port-set.ts';
import { remarkOnLeftStore } from './left-store.ts';
import { LocalSide } from './local-side.ts';
import { LINE_LIMIT, type Log, messageOf, ONCE } from './log.ts';
import { createQueue, Measures } from './measures.ts';
import { traceMessages } from './message-trace.ts';
import { type ListenerCallbacks, LogObserver } from './log-observer.ts';
import { createPlatform } from './platform.ts';
import { SecureListening } from './secure-listener.ts';
import { hasTLS, ServerSecurity } from './server-security.ts';
import { webSocketNodes } from './websocket-node.ts';
import { UpstreamConnector } from './upstream-connector.ts';

export interface ListenerNews {
  /** Nodes may connect. @param port in use, even if the configuration said 0 */
  onListening(port: number): void;
  /** They may not: the port cannot be had, or is gone. May be told before `HostGateway.start` has returned. */
  onNotListening(message: string): void;
  /** One of several ports cannot be had, which has been said. */
  onPortMissing?(): void;
}

/** Told when the storage cannot be had, or fails. */
export type StoreNews = (message: string) => void;

/** Milliseconds after which the log is asked for what it has only counted. */
const FLUSH_INTERVAL = 60_000;

/** Which part of the program it is, where there are several upstreams. */
export interface Role {
  /** Further upstreams, which are connected to this one. */
  readonly cables: number;
  /** Its only node is a cable, and its listener has no port. */
  readonly isFurther: boolean;
  /** Further listeners. */
  readonly listeners: readonly ListenerConfiguration[];
}

const ONLY: Role = { cables: 0, isFurther: false, listeners: [] };
export const FURTHER: Role = { ...ONLY, isFurther: true };

class HostObserver extends LogObserver {
  private readonly onNoStore: StoreNews | undefined;
  private readonly isOfCable: (session: number) => boolean;
  private readonly side: LocalSide;

  constructor(log: Log, listener: ListenerCallbacks, isOfCable: (session: number) => boolean, side: LocalSide,
    onNoStore: StoreNews | undefined) {
    super(log, listener);
    this.side = side;
    this.isOfCable = isOfCable;
    this.onNoStore = onNoStore;
  }

  /** That a cable comes and goes is nobody's business. */
  override onEvent(event: number, subject: number, detail: number): void {
    if ((event === NODE_CONNECTED || event === NODE_CLOSED) && this.isOfCable(subject))
      return;
    this.side.note(event, subject, this.runtime!.gateway);
    super.onEvent(event, subject, detail);
  }

  override onStoreRemark(message: string, isUsed: boolean): void {
    super.onStoreRemark(message, isUsed);
    if (!isUsed)
      this.onNoStore?.(message);
  }
}

export class HostGateway {
  readonly runtime: Runtime;
  /** What the status tells of it. */
  readonly side = new LocalSide();
  /** Where cables are taken. */
  readonly port = new CablePort();
  private readonly role: Role;
  /** The one that was opened last. */
  private storage: FileStorage | undefined = undefined;
  private readonly flushing: NodeJS.Timeout;
  private readonly log: Log;
  private readonly connector: UpstreamConnector;
  private readonly secure: SecureListening[] = [];
  private readonly ports: PortSet | undefined;
  private authenticator: PasswordAuthenticator;
  private isTraced = false;
  private hasStopped = false;
  readonly measures = new Measures();
  readonly certificates: CertificateWatch;
  /** In force, with a tag in place of each password. */
  private configuration: Configuration;

  /** Makes hashes of plain passwords first. @throws Error when a sensor type does not exist */
  static async create(configuration: Configuration, log: Log, news: ListenerNews, onNoStore?: StoreNews,
    role = ONLY): Promise<HostGateway> {
    const tagged = withTags(configuration); // before the authenticator takes the passwords out
    const authenticator = await PasswordAuthenticator.create(configuration.listener);
    return new HostGateway(tagged, log, { ...news, onNoStore }, authenticator, role);
  }

  private constructor(written: Configuration, log: Log, news: ListenerNews & { onNoStore: StoreNews | undefined },
    authenticator: PasswordAuthenticator, role: Role) {
    const { port } = this;
    const configuration = withCables(written, role.cables);
    this.role = role;
    const observer = new HostObserver(log, {
      onListening: actual => (this.side.opened(actual), news.onListening(actual)),
      onListenerError: message => {
        if (this.hasStopped)
          return;
        this.side.failed(message);
        news.onNotListening(message);
      },
    }, session => port.hasCable(session), this.side, news.onNoStore);
    this.configuration = configuration;
    const watch = this.certificates = new CertificateWatch(text => log.write('warning', text, text, ONCE));
    const { listener } = configuration;
    const report = (address: string | undefined, text: string): void => {
      const line = `a node from ${address?.replace(/^::ffff:(?=[0-9.]+$)/i, '') ?? 'an unknown address'} ${text}`;
      log.write('warning', line, line, ONCE, LINE_LIMIT);
    };
    const usual = createPlatform(port.authenticatorOver(authenticator));
    const listenerOf = (settings: ListenerConfiguration, origins: () => readonly string[], section: string): Port => {
      const secure = hasTLS(settings) ? new SecureListening(new ServerSecurity(settings, watch, section),
        () => this.configuration.listener.connect_timeout * 1000, report) : undefined;
      if (secure !== undefined)
        this.secure.push(secure);
      return { port: settings.port, address: settings.address, Listener: secure?.Listener ?? usual.Listener,
        TCP: settings.protocol === 'websockets' ? webSocketNodes(origins, report) : usual.TCP };
    };
    const first = listenerOf(listener, () => this.configuration.listener.websockets_origin, 'listener');
    const others = role.listeners.map((each, index) =>
      listenerOf(each, () => each.websockets_origin, `listener[${index + 1}]`));
    this.ports = others.length === 0 ? undefined : new PortSet([first, ...others], {
      onProblem: text => {
        log.write('error', `${text}; tried again every 30 seconds`, text, ONCE);
        news.onPortMissing?.();
      },
      onChange: () => news.onListening(0),
    });
    const nodes = this.ports ?? first;
    const platform: Platform = {
      ...usual,
      Listener: port.listenerOver(role.isFurther ? undefined : nodes.Listener),
      nodeTCP: port.tcpOver(nodes.TCP),
      layout: withReloadRoom(configuration),
      openStorage: ({ path, size }, arena, longest) =>
        this.storage = this.measures.watch(FileStorage.open(path, size, arena, longest)),
      ...configuration.page !== null && { createQueue },
    };
    this.runtime = observer.runtime = authenticator.runtime = port.runtime =
      new Runtime(withoutPasswords(configuration), platform, observer);
    if (configuration.page !== null)
      this.measures.begin(this.runtime.gateway);
    this.log = log;
    this.knowCables();
    this.authenticator = authenticator;
    const connector = this.connector = new UpstreamConnector(this.runtime, log, watch);
    this.runtime.upstream.connector = connector;
    observer.problemOf = code => connector.problemOf(code);
    observer.claimedNameOf = session => this.authenticator.claimedNameOf(session);
    this.setLevel(configuration.log_level);
    port.onOurOwn = () => {
      connector.isOurOwn = true;
      log.write('error', connector.problemOf(0), undefined, ONCE);
    };
    const remark = remarkOnLeftStore(configuration.store);
    if (remark !== undefined)
      log.write('warning', remark);
    this.flushing = setInterval(() => {
      log.flush();
      connector.check();
    }, FLUSH_INTERVAL).unref();
  }

  start(): void {
    this.runtime.start();
  }

  /** Makes another attempt to get the port. */
  listenAgain(): void {
    if (!this.hasStopped)
      this.runtime.listenAgain();
  }

  /** What `reload` would change. */
  planFor(wanted: Configuration): ReloadPlan {
    return planReload(this.configuration, this.runtime.gateway.plans!.layout,
      withCables(withTags(wanted), this.role.cables));
  }

  /**
   * Takes another configuration, a valid one, as far as that is possible while the gateway runs. Not to be called again
   * before it is done. @throws Error when nothing has changed, because a sensor cannot be made
   */
  async reload(wanted: Configuration): Promise<ReloadPlan> {
    const { runtime } = this;
    const plan = this.planFor(wanted);
    const { configuration } = plan;
    const isAnother = plan.changes.some(({ path }) => /^listener\.(users|allow_anonymous)$/.test(path));
    const { allow_anonymous, use_identity_as_username } = configuration.listener;
    const { users } = wanted.listener;
    const authenticator = isAnother
      ? await PasswordAuthenticator.create({ allow_anonymous, use_identity_as_username, users }) : undefined;
    if (this.hasStopped)
      return plan;
    if (authenticator !== undefined) {
      authenticator.runtime = runtime;
      this.authenticator = authenticator;
    }
    this.setLevel(configuration.log_level);
    reloadRuntime(runtime, { ...plan, configuration: withoutPasswords(configuration) },
      { authenticator: authenticator && this.port.authenticatorOver(authenticator),
        changedPasswords: changedPasswords(this.configuration, configuration) });
    this.configuration = configuration;
    this.knowCables();
    this.connector.reload();
    try {
      this.secure.forEach(listening => listening.reload());
    } catch (error) {
      this.log.write('warning', `${messageOf(error)}; until then nodes see what was read before`, undefined, ONCE);
    }
    return plan;
  }

  /** Where nodes can connect, if there are several listeners: `HOST:PORT`. */
  get places(): readonly string[] | undefined {
    return this.ports?.places;
  }

  get tlsStatus(): TLSStatus {
    return this.connector.status;
  }

  private knowCables(): void {
    if (this.role.cables > 0)
      this.runtime.gateway.nodes.trustedUser = this.configuration.listener.users.findIndex(isTrusted);
  }

  private setLevel(level: LogLevel): void {
    const { log, runtime } = this;
    log.level = level;
    if (this.isTraced || !log.tells('debug'))
      return;
    this.isTraced = true; // once is enough: the log leaves the lines out at a higher level
    traceMessages(runtime.gateway, text => {
      if (log.tells('debug'))
        log.trace(text);
    });
  }

  /** Says goodbye to the Server and to the nodes; takes two seconds at most. */
  stop(): Promise<void> {
    this.hasStopped = true;
    clearInterval(this.flushing);
    this.storage?.hurry();
    return new Promise(onStopped => this.runtime.stop(onStopped));
  }
}

const TAG_KEY = randomBytes(32);

/** Says whether a password is another one, and nothing else: the key dies with the process. */
const withTags = (configuration: Configuration): Configuration => ({
  ...configuration,
  listener: { ...configuration.listener,
    users: configuration.listener.users.map(({ password, ...user }) => password === undefined ? user
      : { ...user, password: createHmac('sha256', TAG_KEY).update(password).digest('base64') }) },
});

/** The authenticator has what it needs; nobody else needs it. */
const withoutPasswords = (configuration: Configuration): Configuration => ({
  ...configuration,
  listener: { ...configuration.listener,
    users: configuration.listener.users.map(({ mount_point = '', username }) => ({ username, mount_point })) },
});

function changedPasswords(old: Configuration, wanted: Configuration): ReadonlySet<string> {
  const secrets = new Map(old.listener.users.map(({ password, password_hash, username }) =>
    [username, `${password ?? ''} ${password_hash ?? ''}`]));
  return new Set(wanted.listener.users
    .filter(({ password, password_hash, username }) =>
      secrets.has(username) && secrets.get(username) !== `${password ?? ''} ${password_hash ?? ''}`)
    .map(({ username }) => username));
}
