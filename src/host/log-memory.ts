/** The last lines of the log, for the page: each with a number, so that a reader sees when it has missed some. */

export interface LogLine {
  /** From 1. */
  readonly id: number;
  /** As in the log, ISO 8601. */
  readonly time: string;
  readonly level: string;
  readonly text: string;
}

/** Lines that are kept. */
const CAPACITY = 500;

export class LogMemory {
  private readonly lines: LogLine[] = [];
  private lastId = 0;

  /** @param line as the log has printed it: `time level text` */
  add(line: string): void {
    const [time = '', level = '', ...words] = line.split(' ');
    this.lines.push({ id: ++this.lastId, time, level, text: words.join(' ') });
    if (this.lines.length > CAPACITY)
      this.lines.shift();
  }

  /** Number of the last line; 0 before the first. */
  get last(): number {
    return this.lastId;
  }

  /** The lines after the one with this number, the latest last. */
  after(id: number): readonly LogLine[] {
    return this.lines.filter(line => line.id > id);
  }
}
