/** The seconds of power since the store was made, and how long it was off in between (README.md). */
export interface StoreClock {
  /** Seconds. */
  readonly now: number;
  /** The network has set the calendar: seconds since 1970. */
  setCalendar(seconds: number): void;
  /** Seconds since `takenAt`, the time of power off included as far as it is known. */
  age(takenAt: number): number;
  /** Whether what was taken then is past its deadline; 0 is none. */
  isExpired(takenAt: number, deadline: number): boolean;
}
