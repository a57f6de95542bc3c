/** What the page's server serves: the page, and the programming interface that src/web/openapi.json describes. */
import type { Content } from '../web/content.ts';
import { CONTENT_TYPE } from '../web/field-names.ts';
import { GET, HEAD, POST } from '../web/request-head.ts';
import type { Exchange, Resource } from '../web/resource.ts';
import type { Health } from './health.ts';
import type { LogMemory } from './log-memory.ts';
import { interfaceContent, jsonContent, pageContent, textContent } from './page-content.ts';
import type { PageEvents } from './page-events.ts';
import { type PageGate, STATUS_OF, valueOf } from './page-gate.ts';
import type { PageSessions } from './page-sessions.ts';
import type { Status } from '../gateway/status.ts';

/** Bytes of a password with what is around it. */
const LOGIN_CAPACITY = 4096;
const SESSION_SECONDS = 86_400;

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const JSON_TYPE = /^application\/json(?:;|$)/i;

const NO_PAGE = 'The page has not been built: run "npm run build". The programming interface is in /api/openapi.json.\n';

export interface PageSources {
  status(): Status;
  health(): Health;
  metrics(): string;
  readonly log: LogMemory;
  readonly events: PageEvents;
}

/** Read with GET, answered at once. */
const readable = (path: string, content: (exchange: Exchange) => Content, isPublic = false): Resource => ({
  path, methods: GET | HEAD, isPublic, bodyCapacity: 0, isEndless: false,
  respond: exchange => exchange.answer(200, content(exchange)),
});

/** Takes a body of JSON, and answers when it likes. @param isPublic as in Resource */
export function writable(path: string, methods: number, bodyCapacity: number,
  act: (exchange: Exchange, body: Buffer) => void, isPublic = false): Resource {
  const bodies = new Map<Exchange, Buffer[]>();
  return {
    path, methods, isPublic, bodyCapacity, isEndless: false,
    begin: exchange => bodies.set(exchange, []),
    receive: (exchange, bytes, from, to) => bodies.get(exchange)!.push(Buffer.from(bytes.slice(from, to))),
    respond: exchange => {
      const body = Buffer.concat(bodies.get(exchange)!);
      bodies.delete(exchange);
      if (JSON_TYPE.test(valueOf(exchange, CONTENT_TYPE) ?? ''))
        act(exchange, body);
      else
        exchange.refuse(415);
    },
  };
}

/** The text behind the question mark. */
export const queryOf = ({ head }: Exchange): URLSearchParams =>
  new URLSearchParams(Buffer.from(head.bytes.subarray(head.queryOffset, head.queryOffset + head.queryLength)).toString('latin1'));

/** The cookie that stands for the password. */
const cookieLine = ({ cookieName, isSecure }: PageGate, token: string, seconds: number): string =>
  `Set-Cookie: ${cookieName()}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}${isSecure ? '; Secure' : ''}`;

export function pageResources(sources: PageSources, gate: PageGate, sessions: PageSessions | undefined): Resource[] {
  const { events, log } = sources;
  const page = pageContent() ?? textContent(NO_PAGE);
  const description = interfaceContent();
  return [
    readable('/', () => page, true),
    readable('/api/openapi.json', () => description, true),
    { ...readable('/health', () => page, true), respond: exchange => {
      const { isWell, reasons } = sources.health();
      exchange.answer(isWell ? 200 : 503, jsonContent({ status: isWell ? 'ok' : 'unwell', reasons }));
    } },
    readable('/api/status', () => jsonContent(sources.status())),
    readable('/metrics', () => textContent(sources.metrics(), METRICS_TYPE)),
    { ...readable('/api/log', () => page), respond: exchange => {
      const query = queryOf(exchange);
      const after = query.get('after') ?? '0';
      if (!/^\d{1,15}$/.test(after) || [...query.keys()].some(key => key !== 'after'))
        exchange.answer(400, jsonContent({ errors: [{ path: 'after', text: 'write ?after= with the number of a line, or nothing behind the path' }] }));
      else
        exchange.answer(200, jsonContent({ lines: log.after(Number(after)) }));
    } },
    { ...readable('/api/events', () => events.content()), isEndless: true,
      respond: exchange =>
        exchange.head.method === HEAD ? exchange.answer(200, events.content()) : events.open(exchange),
      closed: exchange => events.closed(exchange) },
    readable('/api/session', exchange => jsonContent({
      passwordNeeded: sessions !== undefined,
      open: sessions === undefined || sessions.isOpen(gate.tokenOf(exchange) ?? ''),
    }), true),
    writable('/api/login', POST, LOGIN_CAPACITY, (exchange, body) => {
      void logIn(exchange, body, sessions, gate);
    }, true),
    writable('/api/logout', POST, LOGIN_CAPACITY, exchange => {
      sessions?.close(gate.tokenOf(exchange) ?? '');
      exchange.answer(200, jsonContent({ open: false }, [cookieLine(gate, '', 0)]));
    }, true),
  ];
}

async function logIn(exchange: Exchange, body: Buffer, sessions: PageSessions | undefined,
  gate: PageGate): Promise<void> {
  const { remoteAddress, ticket } = exchange;
  let password: unknown;
  try {
    ({ password } = JSON.parse(body.toString()) as { password: unknown });
  } catch { /* no JSON, or null */ }
  if (typeof password !== 'string') {
    exchange.answer(422, jsonContent({ errors: [{ path: 'password', text: 'must be a text; send {"password": "..."}' }] }));
    return;
  }
  if (sessions === undefined) {
    exchange.answer(200, jsonContent({ open: true }));
    return;
  }
  const verdict = await sessions.verify(Buffer.from(password), remoteAddress).catch(() => undefined);
  if (exchange.ticket !== ticket)
    return;
  if (verdict === 'right')
    exchange.answer(200, jsonContent({ open: true }, [cookieLine(gate, sessions.open(), SESSION_SECONDS)]));
  else
    exchange.refuse(verdict === undefined ? 503 : STATUS_OF[verdict]);
}
