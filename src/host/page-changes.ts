/**
 * What the page can change: messages of the quarantine, and the configuration. A new configuration is judged first, in
 * the words of `ringbridge check`; then the file is replaced in one step, the one before is kept beside it, and the
 * gateway reads it as at SIGHUP. On trial it goes back by itself when nobody confirms it in time.
 *
 * Secrets do not leave: where the page sends `KEPT` back, what stands in the file stays.
 */
import { readFileSync, statSync } from 'node:fs';
import { parse } from 'jsonc-parser';
import type { Runtime } from '../io/runtime.ts';
import { quarantineOf } from '../gateway/quarantine-texts.ts';
import { GET, HEAD, POST, PUT } from '../web/request-head.ts';
import type { Exchange, Resource } from '../web/resource.ts';
import { readConfiguration } from './config.ts';
import { beforeTrial, beginTrial, confirmTrial, endTrial, replaceFile } from './config-trial.ts';
import { type Log, messageOf } from './log.ts';
import { jsonContent } from './page-content.ts';
import { queryOf, writable } from './page-resources.ts';

/** In place of a secret. */
const KEPT = '(kept)';
const SECRET_KEYS = /^(?:.*password|.*password_hash|bridge_psk|.*secret|.*token)$/;

/** Bytes of a request about the quarantine, and of a configuration. */
const DECISION_CAPACITY = 1024;
const CONFIGURATION_CAPACITY = 256 * 1024;

/** Seconds of a trial. */
const LONGEST_TRIAL = 600;

type Json = Record<string, unknown>;

/** Whether a text stands for a secret, and not for a place where one is: `${NAME}` is none. */
const isSecret = (key: string, value: unknown): boolean =>
  SECRET_KEYS.test(key) && typeof value === 'string' && !/^\$\{\w+\}$/.test(value);

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null)
    return value;
  return Object.fromEntries(Object.entries(value)
    .map(([key, inner]) => [key, isSecret(key, inner) ? KEPT : withoutSecrets(inner)]));
}

/** Entries of a list belong together that have the same name, wherever they stand by now. */
const nameOf = (entry: unknown): unknown => (entry as Json | null)?.['username'] ?? (entry as Json | null)?.['name'];

/** @returns `value` with the secrets of `old` where it says KEPT; a KEPT that has none stays, and is no hash */
function withSecretsOf(old: unknown, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((entry, index) =>
      withSecretsOf(nameOf(entry) === undefined ? (old as unknown[] | undefined)?.[index]
        : (Array.isArray(old) ? old : []).find(other => nameOf(other) === nameOf(entry)), entry));
  if (typeof value !== 'object' || value === null)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => {
    const before = (old as Json | null | undefined)?.[key];
    return [key, inner === KEPT && typeof before === 'string' ? before : withSecretsOf(before, inner)];
  }));
}

/** `FILE:1:2: path: text`, as `ringbridge check` says it. */
function findingOf(line: string, file: string): { path: string; text: string } {
  const rest = line.startsWith(file) ? line.slice(file.length).replace(/^(?::\d+)*: /, '') : line;
  const [, path = '', text = rest] = /^([A-Za-z_$][\w$]*(?:\.[\w$]+|\[\d+\])*): ([^]*)$/.exec(rest) ?? [];
  return { path, text };
}

const refusal = (exchange: Exchange, path: string, text: string): void =>
  exchange.answer(422, jsonContent({ errors: [{ path, text }] }));

const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'the folder of the file is read-only for this program, as in the sandbox of a service',
  EACCES: 'this program may not write to the folder of the file',
  EPERM: 'this program may not write to the folder of the file',
  ENOSPC: 'the disk is full', EDQUOT: 'the disk is full',
};

/** The file is as it was. */
function adviceOnWriting(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return `the file cannot be written: ${REASONS[code] ?? messageOf(error)}; change the file itself and send SIGHUP, or let `
    + 'this program write to that folder (src/host/README.md)';
}

export class PageChanges {
  private readonly file: string;
  private readonly runtime: Runtime;
  private readonly log: Log;
  private readonly reload: () => void;
  private trial: NodeJS.Timeout | undefined = undefined;

  /** @param reload has the gateway read the file again, as at SIGHUP */
  constructor(file: string, runtime: Runtime, log: Log, reload: () => void) {
    this.file = file;
    this.runtime = runtime;
    this.log = log;
    this.reload = reload;
  }

  get resources(): readonly Resource[] {
    const write = writable('/api/config', PUT, CONFIGURATION_CAPACITY, (exchange, body) => this.replace(exchange, body));
    return [
      writable('/api/quarantine', POST, DECISION_CAPACITY, (exchange, body) => this.decide(exchange, body)),
      { ...write, methods: GET | HEAD | PUT, respond: exchange => exchange.head.method === PUT ? write.respond(exchange)
        : exchange.answer(200, jsonContent(withoutSecrets(this.read()))) },
      writable('/api/config/confirm', POST, DECISION_CAPACITY, exchange => {
        const confirmed = this.trial !== undefined;
        try {
          confirmTrial(this.file);
        } catch (error) {
          refusal(exchange, '', adviceOnWriting(error));
          return;
        }
        clearTimeout(this.trial);
        this.trial = undefined;
        exchange.answer(200, jsonContent({ confirmed }));
      }),
    ];
  }

  /** A trial that nobody has confirmed ends with the program: the file is what it was before. */
  close(): void {
    if (this.trial !== undefined)
      this.goBack();
  }

  private read(): unknown {
    return parse(readFileSync(this.file, 'utf8'), [], { allowTrailingComma: true }) as unknown;
  }

  private decide(exchange: Exchange, body: Buffer): void {
    const { action, number } = parse(body.toString()) as { action?: unknown; number?: unknown } | undefined ?? {};
    const { gateway } = this.runtime;
    const { bridge, bridge: { guard: { quarantine } } } = gateway;
    const index = typeof number === 'number' ? quarantine.indexOf(number) : -1;
    if (action !== 'release' && action !== 'delete')
      refusal(exchange, 'action', 'write "release" or "delete"');
    else if (index < 0)
      refusal(exchange, 'number', 'there is no message of that number in the quarantine; it may have been decided already');
    else {
      let isDone = true;
      this.runtime.later(() => {
        if (action === 'release')
          isDone = bridge.putBack(number as number);
        else
          quarantine.removeAt(index);
      });
      if (isDone)
        exchange.answer(200, jsonContent(quarantineOf(gateway)));
      else
        refusal(exchange, 'number', 'it cannot be released: no topic rule lets it out any more, or the store is full');
    }
  }

  private replace(exchange: Exchange, body: Buffer): void {
    const seconds = Number(queryOf(exchange).get('try') ?? 0);
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > LONGEST_TRIAL) {
      refusal(exchange, '', `write ?try= with whole seconds, ${LONGEST_TRIAL} at most`);
      return;
    }
    let wanted: unknown;
    try {
      wanted = withSecretsOf(this.read(), JSON.parse(body.toString()));
    } catch (error) {
      refusal(exchange, '', `this is no JSON: ${messageOf(error)}`);
      return;
    }
    const text = `${JSON.stringify(wanted, undefined, 2)}\n`;
    const { errors, warnings } = readConfiguration(text, this.file);
    if (errors.length > 0) {
      exchange.answer(422, jsonContent({ errors: errors.map(line => findingOf(line, this.file)) }));
      return;
    }
    try {
      this.write(text, seconds);
    } catch (error) {
      refusal(exchange, '', adviceOnWriting(error));
      return;
    }
    this.reload();
    exchange.answer(200, jsonContent({
      warnings: warnings.map(line => findingOf(line.replace('warning: ', ''), this.file)), onTrial: seconds,
    }));
  }

  /** @param seconds of the trial; 0: it stays */
  private write(text: string, seconds: number): void {
    const { file } = this;
    const { mode } = statSync(file);
    const current = readFileSync(file);
    const old = beforeTrial(file);
    if (old === undefined) // what was on trial is not what to go back to
      replaceFile(`${file}.previous`, current, mode);
    if (seconds > 0)
      beginTrial(file, old ?? current, text);
    replaceFile(file, text, mode);
    if (seconds === 0)
      confirmTrial(file);
    clearTimeout(this.trial);
    this.trial = seconds === 0 ? undefined : setTimeout(() => this.goBack(), seconds * 1000);
    this.log.write('info', 'the configuration was changed by the page; the one before is kept as .previous');
  }

  private goBack(): void {
    clearTimeout(this.trial);
    this.trial = undefined;
    if (endTrial(this.file, this.log, 'nobody has confirmed the configuration that was tried'))
      this.reload();
  }
}
