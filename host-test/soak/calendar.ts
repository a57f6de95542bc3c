/**
 * What the gateway knows of the calendar, and how old a message is by what it may know: at least so much, at most so
 * much. Powered time counts in full, whatever the calendar says; time without power by the difference of calendars if
 * both were known; a power cut may lose what was counted since the last tick of the store.
 */

/** Milliseconds between ticks of the store's clock, with some slack. */
const TICK = 600_000 + 15_000;
/** The store counts whole seconds, and not all at the same moment. */
const SLACK = 2000;

interface Life {
  readonly start: number;
  end: number;
  isKilled: boolean;
  /** What the calendar says at its beginning and at its end, in milliseconds; NaN: nobody knows. */
  first: number;
  /** When it became known. */
  knownAt: number;
  last: number;
  /** It was changed shortly before the end: perhaps the store does not know. */
  stepBeforeEnd: number;
}

const START = 1_800_000_000_000;

export class Calendar {
  /** Milliseconds that it goes wrong. */
  private offset = 0;
  private isKnown = false;
  private steps: { readonly time: number; readonly size: number }[] = [];
  private lives: Life[] = [];

  /** Seconds since 1970 as the gateway is told; 0: unknown. */
  date(time: number): number {
    return this.isKnown ? Math.floor((START + time + this.offset) / 1000) : 0;
  }

  /** Somebody sets it. */
  step(time: number, size: number): void {
    this.offset += size;
    this.steps.push({ time, size });
  }

  /** The network has told it. */
  learn(time: number): void {
    const life = this.lives.at(-1)!;
    this.isKnown = true;
    if (Number.isNaN(life.first)) {
      life.first = START + time + this.offset;
      life.knownAt = time;
    }
  }

  begin(time: number, isKnown: boolean): void {
    this.isKnown = isKnown;
    this.lives.push({
      start: time, end: Infinity, isKilled: false, first: isKnown ? START + time + this.offset : NaN,
      knownAt: isKnown ? time : Infinity, last: NaN, stepBeforeEnd: 0,
    });
  }

  end(time: number, isKilled: boolean): void {
    const life = this.lives.at(-1)!;
    life.end = time;
    life.isKilled = isKilled;
    life.last = this.isKnown ? START + time + this.offset : NaN;
    life.stepBeforeEnd = this.steps.filter(step => step.time > time - TICK && step.time >= life.start)
      .reduce((sum, { size }) => sum + size, 0);
  }

  /** Nobody asks for what was before. */
  forget(time: number): void {
    this.lives = this.lives.filter(({ end }) => end >= time);
    this.steps = this.steps.filter(step => step.time >= time);
  }

  /** Age in milliseconds, at `time`, of what was taken at `takenAt`. */
  age(takenAt: number, time: number): { readonly least: number; readonly most: number } {
    const { lives } = this;
    let least = 0;
    let most = SLACK;
    for (let index = lives.length - 1; index >= 0; --index) {
      const life = lives[index]!;
      if (life.end < takenAt)
        break;
      const powered = Math.max(0, Math.min(time, life.end) - Math.max(takenAt, life.start));
      most += powered + SLACK;
      least += Math.max(0, powered - SLACK - (life.isKilled && life.end <= time ? TICK : 0));
      const next = lives[index + 1];
      if (next === undefined || next.start > time)
        continue;
      const off = next.start - life.end;
      // A calendar that becomes known later, or that was known earlier, is rare enough to leave it open.
      const gaps = [next.first - life.last - (next.knownAt - next.start), 0];
      if (life.stepBeforeEnd !== 0)
        gaps.push(gaps[0]! + life.stepBeforeEnd);
      const known = lives.filter(({ first, last }) => !Number.isNaN(first) || !Number.isNaN(last));
      if (known.length > 0)
        most += Math.max(0, off, ...gaps.filter(gap => !Number.isNaN(gap)), this.widestStep);
      if (!life.isKilled && life.stepBeforeEnd === 0 && next.knownAt <= time && !Number.isNaN(life.last))
        least += Math.max(0, gaps[0]! - SLACK);
    }
    return { least: Math.max(0, least), most: most + (lives.some(({ isKilled }) => isKilled) ? TICK : 0) };
  }

  private get widestStep(): number {
    return this.steps.reduce((sum, { size }) => sum + Math.max(0, size), 0);
  }
}
