/**
 * How long certificates are still valid: in the status, and, when it is a month or less, in the log once a day. Those
 * that are sent in a chain matter as well, so of several the first that expires counts.
 */
import type { X509Certificate } from 'node:crypto';
import type { CertificateStatus } from '../gateway/status-sources.ts';

const DAY = 86_400_000;
/** Days. */
const SOON = 30;

interface Watched {
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** When it was told last. */
  toldAt: number;
}

export class CertificateWatch {
  private readonly watched = new Map<string, Watched>();
  private readonly warn: (text: string) => void;
  private readonly now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(warn: (text: string) => void, now: () => number = Date.now) {
    this.warn = warn;
    this.now = now;
  }

  /** @param of as CertificateStatus.of @param chain none: there is nothing to be watched any more */
  set(of: string, chain: readonly X509Certificate[]): void {
    const expires = Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
    if (chain.length === 0)
      this.watched.delete(of);
    else if (this.watched.get(of)?.expires !== expires)
      this.watched.set(of, { expires, toldAt: -Infinity });
  }

  get status(): CertificateStatus[] {
    return [...this.watched].map(([of, { expires }]) =>
      ({ of, expires: new Date(expires).toISOString(), days: this.daysUntil(expires) }));
  }

  /** Tells what expires soon. To be called now and then. */
  check(): void {
    const now = this.now();
    for (const [of, certificate] of this.watched) {
      const { expires, toldAt } = certificate;
      if (expires - now > SOON * DAY || now - toldAt < DAY)
        continue;
      certificate.toldAt = now;
      const date = new Date(expires).toISOString().slice(0, 10);
      const what = of === 'broker' ? 'the certificate of the broker, or of its CA,' : `the certificate of ${of}`;
      const next = of === 'broker' ? 'ask its operator to renew it' : 'renew it, and put the new one in place of the old: it is read by itself';
      const days = this.daysUntil(expires);
      this.warn(expires <= now ? `${what} has expired on ${date}: ${next}`
        : `${what} expires on ${date}, in ${days} day${days === 1 ? '' : 's'}: ${next}`);
    }
  }

  private daysUntil(expires: number): number {
    return Math.floor((expires - this.now()) / DAY);
  }
}
