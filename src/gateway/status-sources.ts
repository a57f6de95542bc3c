/** Where the status comes from. */
import type { SensorConfiguration } from '../config/configuration.ts';
import type { Gateway } from './gateway.ts';

/** What io/upstream.ts knows. */
export interface UpstreamProgress {
  /** One of upstream-phase.ts. */
  readonly phase: number;
  readonly reasonCode: number;
  readonly attemptCount: number;
  readonly deadline: number;
  readonly address: { readonly host: string; readonly port: number };
  /** Whether the Server seems to have another Client of our identifier. */
  isFoughtOver(now: number): boolean;
}

/** What sensors/sensors.ts knows of one sensor. */
export interface SensorProgress {
  readonly configuration: SensorConfiguration;
  /** NaN before the first reading. */
  readonly value: number;
  /** 1 while all is well. */
  readonly pause: number;
}

/** io/runtime.ts is one. */
export interface StatusSources {
  readonly gateway: Gateway;
  readonly upstream: UpstreamProgress;
  readonly sensors: { readonly states: readonly SensorProgress[] };
}
