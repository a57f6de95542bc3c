/** What a benchmark gives, and how two subjects are compared: in turn, in short rounds, by medians. */

/** One line of `npm run bench -- --json`. Null: does not apply. */
export interface Figure {
  readonly engine: string;
  readonly workload: string;
  readonly subject: string;
  readonly steps: number | null;
  readonly slots: number | null;
  readonly chunkBytes: number | null;
  readonly collections: number | null;
  readonly nsPerPacket: number | null;
}

export interface Subject {
  readonly name: string;
  /** Packets per unit of `run`. */
  readonly packetCount: number;
  run(count: number): void;
  /** Grows by the same in all subjects for the same work. */
  result(): number;
}

/** One round takes about so long, in milliseconds: short beside disturbances, long beside the clock. */
const ROUND = 2;
const FEWEST_ROUNDS = 25;
/** Before that: the compiler has seen the code often enough. */
const WARM_UP = 100;

const milliseconds = (subject: Subject, count: number): number => {
  const start = performance.now();
  subject.run(count);
  return performance.now() - start;
};

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

export const onNode = (workload: string, subject: string, nsPerPacket: number): Figure =>
  ({ engine: 'node', workload, subject, steps: null, slots: null, chunkBytes: null, collections: null,
    nsPerPacket: Math.round(nsPerPacket) });

/** @param seconds for all subjects together @throws Error when they have not done the same */
export function compare(workload: string, subjects: readonly Subject[], seconds: number): Figure[] {
  const counts = subjects.map(calibrate);
  const times = subjects.map((): number[] => []);
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < FEWEST_ROUNDS || performance.now() < end; ++round)
    for (const [index, subject] of subjects.entries())
      times[index]!.push(milliseconds(subject, counts[index]!));
  checkResults(workload, subjects);
  return subjects.map((subject, index) =>
    onNode(workload, subject.name, median(times[index]!) * 1e6 / counts[index]! / subject.packetCount));
}

/** Warms up, and finds out how often to run per round. */
function calibrate(subject: Subject): number {
  for (const end = performance.now() + WARM_UP; performance.now() < end;)
    subject.run(10);
  let count = 1;
  while (milliseconds(subject, count) < ROUND)
    count *= 2;
  return count;
}

function checkResults(workload: string, subjects: readonly Subject[]): void {
  const results = subjects.map(subject => {
    const before = subject.result();
    subject.run(10);
    return subject.result() - before;
  });
  if (results.some(result => result !== results[0] || result === 0))
    throw new Error(`${workload}: the subjects have not done the same: ${results.join(', ')}`);
}
