/** Lets requests to the page in: all of them where there is no password, else those that tell it, or have a session. */
import { AUTHORIZATION, COOKIE } from '../web/field-names.ts';
import { ABSENT } from '../web/request-head.ts';
import { type Exchange, type Gate, PENDING, type Resource } from '../web/resource.ts';
import type { PageSessions, Verdict } from './page-sessions.ts';

/** The text of a header line; undefined when it is not there. */
export function valueOf({ head }: Exchange, field: number): string | undefined {
  const length = head.lengthOf(field);
  if (length === ABSENT)
    return undefined;
  const offset = head.offsetOf(field);
  return Buffer.from(head.bytes.subarray(offset, offset + length)).toString('latin1');
}

export const STATUS_OF: Readonly<Record<Verdict, number>> = { 'right': 0, 'wrong': 401, 'too many': 429 };

export class PageGate implements Gate {
  private readonly sessions: PageSessions | undefined;
  /** Cookies do not know ports: two gateways of one computer would take each other's. */
  readonly cookieName: () => string;

  /** Sent with HTTPS only. */
  readonly isSecure: boolean;

  /** @param sessions undefined: nobody is asked */
  constructor(sessions: PageSessions | undefined, cookieName: () => string, isSecure = false) {
    this.isSecure = isSecure;
    this.sessions = sessions;
    this.cookieName = cookieName;
  }

  judge(exchange: Exchange, { isPublic }: Resource): number {
    const { sessions } = this;
    if (sessions === undefined || isPublic)
      return 0;
    const token = this.tokenOf(exchange);
    if (token !== undefined && sessions.isOpen(token))
      return 0;
    const password = passwordOf(valueOf(exchange, AUTHORIZATION));
    if (password === undefined)
      return 401;
    if (sessions.isKnown(password))
      return 0;
    const { remoteAddress, ticket } = exchange;
    void sessions.verify(password, remoteAddress).then(verdict => STATUS_OF[verdict], () => 503).then(status => {
      if (exchange.ticket === ticket)
        exchange.decide(status);
    });
    return PENDING;
  }

  /** Of the cookie; undefined when there is none. */
  tokenOf(exchange: Exchange): string | undefined {
    const name = `${this.cookieName()}=`;
    return valueOf(exchange, COOKIE)?.split(/; */).find(pair => pair.startsWith(name))?.slice(name.length);
  }
}

/** Of basic authentication, whatever the user name is. [RFC7617-2] */
function passwordOf(authorization: string | undefined): Buffer | undefined {
  const [, code] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '') ?? [];
  if (code === undefined)
    return undefined;
  const pair = Buffer.from(code, 'base64');
  const colon = pair.indexOf(0x3A);
  return colon === -1 ? undefined : pair.subarray(colon + 1);
}
