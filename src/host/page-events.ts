/**
 * Server-Sent Events of the page: the status each second, and lines of the log as they come. One text for all who
 * listen, made only while somebody does. Who does not take it in time misses it: it is a view, and lines have numbers.
 */
import { type Content, contentOf, eventsOf } from '../web/content.ts';
import type { Exchange } from '../web/resource.ts';
import type { LogMemory } from './log-memory.ts';

/** Milliseconds. */
const TICK = 250;
const TICKS_OF_STATUS = 4;

const HEADER_LINES = ['Content-Type: text/event-stream', 'Cache-Control: no-store',
  'Content-Security-Policy: default-src \'none\''];

const eventOf = (name: string, value: unknown, id?: number): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;

export class PageEvents {
  private readonly listening = new Set<Exchange>();
  private readonly log: LogMemory;
  private readonly view: () => unknown;
  private timer: NodeJS.Timeout | undefined = undefined;
  private tickCount = 0;
  private lastLine = 0;

  /** @param view what the event `status` tells */
  constructor(log: LogMemory, view: () => unknown) {
    this.log = log;
    this.view = view;
  }

  open(exchange: Exchange): void {
    if (this.listening.size === 0) {
      this.lastLine = this.log.last;
      this.timer = setInterval(() => this.tick(), TICK).unref();
    }
    this.listening.add(exchange);
    exchange.answer(200, this.content());
  }

  closed(exchange: Exchange): void {
    this.listening.delete(exchange);
    if (this.listening.size === 0)
      clearInterval(this.timer);
  }

  /** What a listener gets at once. */
  content(): Content {
    return eventsOf(HEADER_LINES, Buffer.from(`retry: 2000\n\n${eventOf('status', this.view())}`));
  }

  private tick(): void {
    const lines = this.log.after(this.lastLine).map(line => eventOf('log', line, line.id)).join('');
    this.lastLine = this.log.last;
    const isStatusDue = ++this.tickCount % TICKS_OF_STATUS === 0;
    if (!isStatusDue && lines === '')
      return;
    const { pieces } = contentOf([], Buffer.from(lines + (isStatusDue ? eventOf('status', this.view()) : '')));
    this.listening.forEach(exchange => exchange.sendEvent(pieces));
  }
}
