/** Opens the page of a gateway, and tries again where its port is taken: nodes and broker do not wait for it. */
import type { Configuration, PageConfiguration } from '../config/configuration.ts';
import type { Resource } from '../web/resource.ts';
import type { HostGateway } from './host-gateway.ts';
import { type Log, messageOf, ONCE } from './log.ts';
import { securityOfPage } from './page-security.ts';
import { PageServer, type PageSubject } from './page-server.ts';

/** What the page is about, of a gateway that runs. */
export const pageSubject = (
  gateway: HostGateway, configuration: Configuration, page: PageConfiguration,
): PageSubject => ({
  runtime: gateway.runtime,
  isStoreWanted: configuration.store.durability === 'flash',
  tls: () => gateway.tlsStatus,
  security: securityOfPage(page, configuration, gateway.certificates),
  erasureCount: () => gateway.measures.erasureCount,
});

/** Milliseconds from one attempt to get the port to the next. */
const INTERVAL = 30_000;

export class PageOpening {
  private page: PageServer | undefined = undefined;
  private retrying: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;

  private readonly configuration: PageConfiguration;
  private readonly subject: PageSubject;
  private readonly log: Log;
  private readonly resources: readonly Resource[];
  private readonly onOpened: () => void;

  /** @param resources beside those for reading @param onOpened it listens, after it could not at first */
  constructor(configuration: PageConfiguration, subject: PageSubject, log: Log, resources: readonly Resource[],
    onOpened: () => void) {
    this.configuration = configuration;
    this.subject = subject;
    this.log = log;
    this.resources = resources;
    this.onOpened = onOpened;
  }

  /** `http://HOST:PORT/`, or `https://`; undefined as long as there is none. */
  get url(): string | undefined {
    return this.page?.url;
  }

  /** @returns when it listens, or could not: whether it does */
  open(): Promise<boolean> {
    return new Promise(settle => {
      const fail = (message: string): void => {
        const text = `${message}; there is no page until then, tried again every ${INTERVAL / 1000} seconds`;
        this.log.write('error', text, text, ONCE);
        this.page?.close();
        if (!this.isClosed)
          this.retrying = setTimeout(() => void this.openAgain(), INTERVAL).unref();
        settle(false);
      };
      try {
        this.page = new PageServer(this.configuration, this.subject, this.log, this.resources, message =>
          message === undefined ? settle(true) : fail(message));
      } catch (error) { // its certificate cannot be read
        this.page = undefined;
        fail(messageOf(error));
      }
    });
  }

  /** Reads the certificate anew. */
  reload(): void {
    try {
      this.page?.reload();
    } catch (error) {
      this.log.write('warning', `${messageOf(error)}; until then the page shows what was read before`, undefined, ONCE);
    }
  }

  private async openAgain(): Promise<void> {
    if (await this.open())
      this.onOpened();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.retrying);
    this.page?.close();
  }
}
