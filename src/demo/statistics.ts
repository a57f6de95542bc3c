/**
 * What has arrived at the demo's broker, and how fast messages travel.
 */
import type { ViewTopic } from './view.ts';

/** Topics that are remembered; a guest may publish to any number. */
const MOST_TOPICS = 200;
/** Longest payload that is kept, in bytes. */
const LONGEST_PAYLOAD = 64;
/** Milliseconds that a rate is averaged over. */
const WINDOW = 5000;

interface LastValue {
  payload: string;
  count: number;
  /** Milliseconds since the start of the process. */
  at: number;
}

export class BrokerStatistics {
  count = 0;
  private readonly values = new Map<string, LastValue>();

  add(topic: string, payload: string): void {
    ++this.count;
    const value = this.values.get(topic);
    if (value === undefined && this.values.size >= MOST_TOPICS)
      return;
    this.values.set(topic, { payload, count: (value?.count ?? 0) + 1, at: performance.now() });
  }

  /** Every topic; those for which `isImportant` first, else in the order of their first message. */
  topics(isImportant: (topic: string) => boolean): ViewTopic[] {
    const now = performance.now();
    const topics =
      [...this.values].map(([topic, { at, count, payload }]) => ({ topic, payload, count, age: (now - at) / 1000 }));
    return [...topics.filter(({ topic }) => isImportant(topic)), ...topics.filter(({ topic }) => !isImportant(topic))];
  }
}

/** For people: a payload may be anything. */
export function textOfPayload(payload: Buffer): string {
  const text = payload.subarray(0, LONGEST_PAYLOAD).toString();
  return payload.length > LONGEST_PAYLOAD ? `${text}…` : text;
}

/** The rate at which a count grows, averaged over the last seconds. */
export class Rate {
  private readonly samples: { at: number; count: number }[] = [];

  /** @param now milliseconds @returns per second */
  update(now: number, count: number): number {
    const { samples } = this;
    samples.push({ at: now, count });
    while (samples.length > 2 && now - samples[1]!.at >= WINDOW)
      samples.shift();
    const first = samples[0]!;
    return now === first.at ? 0 : (count - first.count) * 1000 / (now - first.at);
  }
}
