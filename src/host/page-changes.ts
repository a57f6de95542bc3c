/**
 * What the page can change: messages of the quarantine, and the configuration. A new configuration is judged first, in
 * the words of `ringbridge check`; then the file is replaced in one step, the one before is kept beside it, and the
 * gateway reads it as at SIGHUP. On trial it goes back by itself when nobody confirms it in time.
 *
 * Secrets do not leave: see page-secrets.ts.
 */
import { readFileSync, statSync } from 'node:fs';
import { parse } from 'jsonc-parser';
import type { Configuration } from '../config/configuration.ts';
import { formatPath } from '../config/schema-paths.ts';
import type { ReloadPlan } from '../io/reload.ts';
import type { Runtime } from '../io/runtime.ts';
import { quarantineOf } from '../gateway/quarantine-texts.ts';
import { GET, HEAD, POST, PUT } from '../web/request-head.ts';
import type { Exchange, Resource } from '../web/resource.ts';
import { judgeText, parseText } from './config.ts';
import { textOf } from './config-file.ts';
import { beforeTrial, beginTrial, confirmTrial, endTrial, replaceFile, targetOf } from './config-trial.ts';
import { type Log, messageOf } from './log.ts';
import { jsonContent } from './page-content.ts';
import { queryOf, writable } from './page-resources.ts';
import { KeptSecrets, withoutSecrets } from './page-secrets.ts';

/** Bytes of a request about the quarantine, and of a configuration. */
const DECISION_CAPACITY = 1024;
const CONFIGURATION_CAPACITY = 256 * 1024;

/** Seconds of a trial. */
const LONGEST_TRIAL = 600;

/** `FILE:1:2: path: text`, as `ringbridge check` says it. */
function findingOf(line: string, file: string): { path: string; text: string } {
  const rest = line.startsWith(file) ? line.slice(file.length).replace(/^(?::\d+)*: /, '') : line;
  const [, path = '', text = rest] = /^([A-Za-z_$][\w$]*(?:\.[\w$]+|\[\d+\])*): ([^]*)$/.exec(rest) ?? [];
  return { path, text };
}

const refusal = (exchange: Exchange, path: string, text: string, status = 422): void =>
  exchange.answer(status, jsonContent({ errors: [{ path, text }] }));

type Judged = { readonly findings: readonly { path: string; text: string }[] }
  | { readonly configuration: Configuration; readonly text: string; readonly warnings: readonly string[] };

/** One key a line; with comments as it is. */
function inLines(text: string): string {
  try {
    return `${JSON.stringify(JSON.parse(text), undefined, 2)}\n`;
  } catch {
    return text;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'the folder of the file is read-only for this program, as in the sandbox of a service',
  EACCES: 'this program may not write to the folder of the file',
  EPERM: 'this program may not write to the folder of the file',
  ENOSPC: 'the disk is full', EDQUOT: 'the disk is full',
};

/** The file is as it was. */
export function adviceOnWriting(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return `the file cannot be written: ${REASONS[code] ?? messageOf(error)}; change the file itself and send SIGHUP, or let `
    + 'this program write to that folder (src/host/README.md)';
}

export class PageChanges {
  private readonly file: string;
  private readonly runtime: Runtime;
  private readonly log: Log;
  private readonly reload: () => void;
  private readonly plan: (wanted: Configuration) => ReloadPlan;
  private trial: NodeJS.Timeout | undefined = undefined;

  /** @param reload has the gateway read the file again, as at SIGHUP @param plan says what that will change */
  constructor(file: string, runtime: Runtime, log: Log, reload: () => void,
    plan: (wanted: Configuration) => ReloadPlan) {
    this.plan = plan;
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
    const query = queryOf(exchange);
    const seconds = Number(query.get('try') ?? 0);
    if ([...query.keys()].some(key => key !== 'try') || query.has('try') && (!/^[1-9]\d{0,2}$/.test(query.get('try')!) || seconds > LONGEST_TRIAL)) {
      refusal(exchange, 'try', `write ?try= with whole seconds from 1 to ${LONGEST_TRIAL}, or nothing behind the path`, 400);
      return;
    }
    const judged = this.judge(body);
    if ('findings' in judged) {
      exchange.answer(422, jsonContent({ errors: judged.findings }));
      return;
    }
    const { configuration, text, warnings } = judged;
    const afterRestart = this.plan(configuration);
    if (seconds > 0 && afterRestart.changes.length === 0 && afterRestart.refusals.length > 0) {
      exchange.answer(422, jsonContent({ errors: afterRestart.refusals.map(({ path, text: why }) =>
        ({ path, text: `${why}: nothing would be tried; save it without ?try=, and start the gateway anew` })) }));
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
      afterRestart: afterRestart.refusals,
    }));
  }

  /** As `ringbridge check` reads a file with these bytes, and with the secrets of the one that is there. */
  private judge(body: Buffer): Judged {
    const { file } = this;
    const findingsOf = (lines: readonly string[]): Judged => ({ findings: lines.map(line => findingOf(line, file)) });
    const read = textOf(body, file);
    if ('error' in read)
      return findingsOf([read.error]);
    const parsed = parseText(read.text, file);
    if ('errors' in parsed)
      return findingsOf(parsed.errors);
    const secrets = new KeptSecrets(this.read(), parsed.root);
    const text = secrets.fillIn(read.text);
    const { configuration, errors, warnings } = judgeText(text, file);
    if (configuration === undefined)
      return findingsOf(errors);
    if (secrets.findings.length > 0)
      return { findings: secrets.findings.map(({ path, text: words }) => ({ path: formatPath(path), text: words })) };
    return { configuration, text: inLines(text), warnings };
  }

  /** @param seconds of the trial; 0: it stays */
  private write(text: string, seconds: number): void {
    const { file } = this;
    const like = statSync(file);
    const current = readFileSync(file);
    const old = beforeTrial(file);
    if (old === undefined) // what was on trial is not what to go back to
      replaceFile(`${file}.previous`, current, like);
    if (seconds > 0)
      beginTrial(file, old ?? current, old === undefined ? [text] : [text, current]);
    try {
      replaceFile(targetOf(file), text, like);
    } catch (error) {
      if (old === undefined)
        confirmTrial(file); // there was none
      throw error;
    }
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
