/**
 * The part of the Moddable SDK that the device uses, and no more. The SDK brings its own declarations, of another version
 * than npm's; these few lines are checked against the SDK by running (README of host-test/device).
 */

/** Writes to the debugger, on the simulator to the standard output. */
declare function trace(text: string): void;

declare module 'mc/config' {
  /** The `config` of the manifest; what comes from mcconfig's command line is always a string. */
  const config: { readonly [name: string]: unknown };
  export default config;
}

declare module 'time' {
  const Time: { readonly ticks: number };
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
