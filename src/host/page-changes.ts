/**
 * What the page can change: messages of the quarantine, and the configuration. A new configuration is judged first, in
 * the words of `ringbridge check`; then the file is replaced in one step, the one before is kept beside it, and the
 * gateway reads it as at SIGHUP. On trial it goes back by itself when nobody confirms it in time.
 *
 * Secrets do not leave: where the page sends `KEPT` back, what stands in the file stays.
 */
import { copyFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { parse } from 'jsonc-parser';
import type { Runtime } from '../io/runtime.ts';
import { quarantineOf } from '../gateway/quarantine-texts.ts';
import { GET, HEAD, POST, PUT } from '../web/request-head.ts';
import type { Exchange, Resource } from '../web/resource.ts';
import { readConfiguration } from './config.ts';
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
        const isOnTrial = this.trial !== undefined;
        this.endTrial();
        exchange.answer(200, jsonContent({ confirmed: isOnTrial }));
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
      this.write(text);
    } catch (error) {
      refusal(exchange, '', `the file cannot be written: ${messageOf(error)}`);
      return;
    }
    if (seconds > 0)
      this.trial = setTimeout(() => this.goBack(), seconds * 1000);
    this.reload();
    exchange.answer(200, jsonContent({
      warnings: warnings.map(line => findingOf(line.replace('warning: ', ''), this.file)), onTrial: seconds,
    }));
  }

  /** In one step: whoever reads it meanwhile, or after a power cut, finds one or the other. */
  private write(text: string): void {
    const { file } = this;
    const { mode } = statSync(file);
    const isOnTrial = this.trial !== undefined;
    this.endTrial();
    if (!isOnTrial) // what was on trial is not what to go back to
      copyFileSync(file, `${file}.previous`);
    writeFileSync(`${file}.new`, text, { mode, flush: true });
    renameSync(`${file}.new`, file);
    this.log.write('info', 'the configuration was changed by the page; the one before is kept as .previous');
  }

  private endTrial(): void {
    clearTimeout(this.trial);
    this.trial = undefined;
  }

  private goBack(): void {
    this.endTrial();
    try {
      copyFileSync(`${this.file}.previous`, `${this.file}.new`);
      renameSync(`${this.file}.new`, this.file);
      this.log.write('warning', 'nobody has confirmed the configuration that was tried: the one before is back');
      this.reload();
    } catch (error) {
      this.log.write('error', `the configuration before cannot be had back: ${messageOf(error)}`);
    }
  }
}
