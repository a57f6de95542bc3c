/**
 * The part of the Moddable SDK that the device uses, and no more. The SDK brings its own declarations, of another
 * version than npm's; these few lines are what has been tried with it.
 */

/** Writes to the debugger, on the simulator to the standard output. */
declare function trace(text: string): void;

declare module 'mc/config' {
  /** The `config` of the manifest; what comes from mcconfig's command line is always a string. */
  const config: { readonly [name: string]: unknown };
  export default config;
}

declare module 'time' {
  const Time: {
    readonly ticks: number;
    /** @param seconds since 1970 */
    set(seconds: number): void;
  };
  export default Time;
}

declare module 'timer' {
  /** An object: it must be kept, not only its number. */
  type TimerIdentifier = object;
  const Timer: {
    repeat(callback: () => void, milliseconds: number): TimerIdentifier;
    set(callback: () => void, milliseconds?: number): TimerIdentifier;
    /** Without the times: stops it. */
    schedule(timer: TimerIdentifier, first?: number, repeat?: number): void;
    clear(timer: TimerIdentifier): void;
  };
  export default Timer;
}

declare module 'embedded:io/socket/tcp' {
  const TCP: unknown;
  export default TCP;
}

declare module 'embedded:io/socket/listener' {
  const Listener: unknown;
  export default Listener;
}

declare module 'embedded:io/socket/udp' {
  const UDP: unknown;
  export default UDP;
}

declare module 'embedded:network/dns/resolver/udp' {
  export default class Resolver {
    constructor(options: { servers: readonly string[]; socket: { io: unknown } });
    /** One of the two is called, never from inside `resolve`. */
    resolve(request: { host: string; onResolved(host: string,
      address: string): void; onError(host: string): void }): void;
  }
}

declare module 'embedded:network/dnssd' {
  /** mDNS. All instances share one socket, which lives as long as a claim does. */
  export default class DNSSD {
    constructor(options: { socket: { io: unknown } });
    /** One of the two is called, never from inside `claim`. Questions are answered from then on. */
    claim(options: { host: string; onReady(): void; onError(): void }): unknown;
  }
}

declare module 'embedded:network/interface/wifi' {
  export default class WiFi {
    constructor(options: { onChanged(property: string): void });
    /** 200: not connected, 300: connecting, 400: connected without address, 500: ready. */
    readonly connection: number;
    readonly address: string | undefined;
    readonly RSSI: number | undefined;
    connect(options: { SSID: string; password?: string }): void;
    disconnect(): void;
  }
}

declare module 'embedded:storage/flash' {
  const flash: { open(options: { path: string; mode: 'r' | 'r+' }): import('../io/flash-blocks.ts').Flash };
  export default flash;
}

declare module 'sntp' {
  export default class SNTP {
    static readonly time: number;
    static readonly retry: number;
    static readonly error: number;
    /** @param callback told the time in seconds since 1970, or the text of an error, by one of the messages above */
    constructor(options: { host: string }, callback: (message: number, value: unknown) => string | void);
  }
}

declare module 'modules' {
  const Modules: {
    has(specifier: string): boolean;
    /** @returns the default export */
    importNow(specifier: string): unknown;
  };
  export default Modules;
}

declare module 'crypt' {
  export class Digest {
    constructor(type: 'SHA256');
    write(data: ArrayBuffer | Uint8Array): void;
    close(): ArrayBuffer;
    reset(): void;
  }
}

/** Made by mcconfig of manifest_natives.json. */
declare module 'mc/ffi' {
  const FFI: new () => import('./natives.ts').Natives;
  export default FFI;
}

declare module 'preference' {
  const Preference: {
    get(domain: string, key: string): unknown;
    delete(domain: string, key: string): void;
  };
  export default Preference;
}

/** Ours: board-esp32 or board-simulator, as the manifest says. */
declare module 'board' {
  export function createSensors(natives: import('./natives.ts').Natives | undefined):
    import('../sensors/sensor-state.ts').SensorFactory;
  /** Looks after the network; calls back whenever it is there, after it was not: sockets can be opened. */
  /** @returns what knows how strong the signal is, where there is one */
  export function startNetwork(onReady: () => void): { readonly signal: number } | undefined;
  /** Makes the gateway reachable by its name. To be called when the network is ready. */
  export function announce(name: string): void;
  export function restart(): void;
  /** Undefined in the simulator. */
  export function createNatives(): import('./natives.ts').Natives | undefined;
  /** Whether a broker may run on this very machine. */
  export const hasBrokerHere: boolean;
  /** Where configurations are stored. @throws Error saying what to do */
  export function openConfigFlash(): import('../io/flash-blocks.ts').Flash;
  /** What `store.path` names here. @throws Error saying what to do */
  export const openStorage: NonNullable<import('../io/runtime.ts').Platform['openStorage']>;
}

declare module 'embedded:io/analog' {
  export default class Analog {
    constructor(options: { pin: number });
    /** Bits of a reading. */
    readonly resolution: number;
    read(): number;
  }
}

declare module 'embedded:io/digital' {
  export default class Digital {
    static readonly InputPullUp: number;
    static readonly OutputOpenDrain: number;
    static readonly Falling: number;
    /** `onReadable` is called for edges that have come since it was called last. */
    constructor(options: { pin: number; mode: number; edge?: number; onReadable?: () => void });
    /** 0 or 1. */
    read(): number;
    write(level: number): void;
    close(): void;
  }
}

declare module 'embedded:io/i2c' {
  export default class I2C {
    /** @param options `timeout` in milliseconds @throws when the pins or the address are in use */
    constructor(options: { data: number; clock: number; address: number; hz: number; timeout: number });
    /** @throws when it is not acknowledged, or the bus is stuck */
    write(bytes: Uint8Array): void;
    /** Fills the view. @throws as `write` */
    read(bytes: Uint8Array): void;
    close(): void;
  }
}

/** Of modules/io. */
declare const System: {
  /** The system's resolver, with the name servers of the network. Without an answer `address` is undefined. */
  resolve(host: string, callback: (host: string, address: string | undefined) => void): void;
  /** Only on the board. */
  restart?(): void;
};

interface StringConstructor {
  /** XS: UTF-8. */
  fromArrayBuffer(buffer: ArrayBufferLike): string;
}

interface ArrayBufferConstructor {
  /** XS: UTF-8. */
  fromString(text: string): ArrayBuffer;
}

interface Uint8ArrayConstructor {
  fromBase64(text: string): Uint8Array;
}
