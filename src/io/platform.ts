/** What a whole gateway needs of the platform: the device, a PC or a test. */
import type { Configuration } from '../config/configuration.ts';
import type { Authenticator } from '../gateway/gateway.ts';
import type { QueueMaker } from '../gateway/gateway-options.ts';
import type { Machine, Traffic } from '../nodes/system-figures.ts';
import type { SensorFactory } from '../sensors/sensor-state.ts';
import type { StorageOpener } from './store-opening.ts';
import type { ListenerConstructor, Resolver, TCPConstructor, Timer } from './transport.ts';

export interface Platform {
  readonly TCP: TCPConstructor;
  /** Of connections of nodes; TCP by default. */
  readonly nodeTCP?: TCPConstructor;
  readonly Listener: ListenerConstructor;
  readonly resolver: Resolver;
  readonly authenticator: Authenticator;
  readonly createSensor: SensorFactory;
  readonly createTimer: (onTimer: () => void) => Timer;
  /** Milliseconds since any moment; only the low 32 bits are used. */
  readonly time: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Bytes read from a socket at a time. */
  readonly landingCapacity: number;
  /** Bytes that there are for the arena; any number by default. */
  readonly arenaLimit?: number;
  /** Where bytes are counted. */
  readonly traffic?: Traffic;
  /** As GatewayOptions.machine. */
  readonly machine?: Machine | undefined;
  /** As GatewayOptions.firstIdentifier. */
  readonly firstIdentifier?: () => number;
  /** As GatewayOptions.orderCounters. */
  readonly orderCounters?: number;
  /** As GatewayOptions.createQueue. */
  readonly createQueue?: QueueMaker;
  /** Whether the arena should be resizable: true on XS, false on Node (exact-view.ts). */
  readonly resizable: boolean;
  /** Seconds since 1970, 0 as long as nobody knows; also the default. */
  readonly date?: () => number;
  readonly openStorage?: StorageOpener;
  /** Starts the board anew; undefined: it is no board. */
  readonly restart?: () => void;
  /** As GatewayOptions.layout. */
  readonly layout?: Configuration;
}
