/** What is around the simulated parts, in the units of what they measure. In the simulator it wanders. */

/** How far a second's step goes, as a part of the range in which a value wanders. */
const STRIDE = 0.02;
const SECOND = 1000;

export class Surroundings {
  temperature = 21;
  humidity = 45;
  /** Pascal. */
  pressure = 101_325;
  /** Parts per million. */
  co2 = 600;
  /** Lux. */
  illuminance = 300;
  /** Volts at a supply, and amperes that it gives. */
  voltage = 12;
  current = 0.5;
  private readonly random: (() => number) | undefined;
  private wanderedAt = 0;

  /** @param random uniform in [0, 1); undefined: everything stays as it is set */
  constructor(random?: () => number) {
    this.random = random;
  }

  /** @param now in milliseconds */
  wander(now: number): void {
    const { random } = this;
    if (random === undefined || now - this.wanderedAt < SECOND)
      return;
    this.wanderedAt = now;
    this.temperature = step(random, this.temperature, 15, 30);
    this.humidity = step(random, this.humidity, 30, 60);
    this.pressure = step(random, this.pressure, 98_000, 103_000);
    this.co2 = step(random, this.co2, 420, 1500);
    this.illuminance = step(random, this.illuminance, 0, 1000);
    this.voltage = step(random, this.voltage, 11, 14);
    this.current = step(random, this.current, 0, 0.7);
  }
}

function step(random: () => number, value: number, lowest: number, highest: number): number {
  const next = value + (random() - 0.5) * 2 * STRIDE * (highest - lowest);
  return next < lowest ? lowest : next > highest ? highest : next;
}
