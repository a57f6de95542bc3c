/** Where the status comes from. */
import type { SensorConfiguration } from '../config/configuration.ts';
import type { UpstreamAddress } from '../config/upstream-address.ts';
import type { Gateway } from './gateway.ts';

/** What io/upstream.ts knows. */
export interface UpstreamProgress {
  /** One of upstream-phase.ts. */
  readonly phase: number;
  readonly reasonCode: number;
  readonly attemptCount: number;
  readonly deadline: number;
  readonly address: UpstreamAddress;
  /** What the platform says of why the last attempt failed; empty: no more than `reasonCode` does. */
  readonly problem: string;
  /** Whether the Server seems to have another Client of our identifier. */
  isFoughtOver(now: number): boolean;
}

/** Of a certificate that matters for TLS. */
export interface CertificateStatus {
  /** The key of the configuration that names its file, or `broker` for what the broker has shown. */
  readonly of: string;
  /** ISO 8601. */
  readonly expires: string;
  /** Rounded down; negative when it has expired. */
  readonly days: number;
}

export interface TLSStatus {
  /** Null: the connection to the broker has no TLS, or there has not been one. */
  readonly upstream: { readonly version: string; readonly cipher: string; readonly resumed: boolean } | null;
  readonly certificates: readonly CertificateStatus[];
}

/** Where there is no TLS. */
export const NO_TLS: TLSStatus = Object.freeze({ upstream: null, certificates: Object.freeze([]) });

/** The port of the nodes. */
export interface ListenerStatus {
  /** Null: it is not open. */
  readonly port: number | null;
  /** Why it cannot be had; null: it is open, or is about to be. */
  readonly problem: string | null;
}

/** What the platform knows of the side of the nodes. */
export interface LocalStatus {
  readonly listener: ListenerStatus;
  /** @param node its index @returns seconds since 1970, null where nobody knows: connected, or away, since then */
  sinceOf(node: number): number | null;
}

/** Where nobody has told. */
export const UNKNOWN_SIDE: LocalStatus =
  Object.freeze({ listener: Object.freeze({ port: null, problem: null }), sinceOf: () => null });

/** What sensors/sensors.ts knows of one sensor. */
interface SensorProgress {
  readonly configuration: SensorConfiguration;
  /** NaN before the first reading. */
  readonly value: number;
  /** 1 while all is well. */
  readonly pause: number;
  /** Attempts that have failed. */
  readonly faultCount: number;
  /** Why the last one has; empty while all is well. */
  readonly faultText: string;
}

/** io/runtime.ts is one. */
export interface StatusSources {
  readonly gateway: Gateway;
  readonly upstream: UpstreamProgress;
  readonly sensors: { readonly states: readonly SensorProgress[] };
}
