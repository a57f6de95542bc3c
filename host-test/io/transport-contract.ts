/**
 * The rules of src/io/transport.ts, one check each, for every implementation: simulated, Node, and later the SDK's
 * own in the simulator and on the board. Each check is named for its rule, and throws when the rule is broken. No
 * test framework and nothing of Node, so that the checks run on XS.
 */
import type { ListenerOptions, TCPListener, TCPOptions, TCPSocket } from '../../src/io/transport.ts';

/** What an implementation and its surroundings must provide. */
export interface TransportEnvironment {
  readonly TCP: new (options: TCPOptions) => TCPSocket;
  /** Where listeners of `listen` are reached. */
  readonly address: string;
  /** Opens a listener on a free port. @returns when it accepts connections */
  listen(onReadable: ListenerOptions['onReadable']): Promise<{ listener: TCPListener; port: number }>;
  /** A port where nobody listens. */
  readonly closedPort: number;
  /** Lets time pass until `condition` holds. @throws Error when that takes too long */
  until(condition: () => boolean): Promise<void>;
  /** Lets so much time pass that whatever is going to happen has happened. */
  settle(): Promise<void>;
}

const fail = (message: string): never => {
  throw new Error(message);
};

const equal = <T>(actual: T, expected: T, what: string): void => {
  if (actual !== expected)
    fail(`${what}: expected ${String(expected)}, got ${String(actual)}`);
};

/** @returns the error that `action` throws */
const thrownBy = (action: () => unknown, what: string): unknown => {
  let result: unknown;
  try {
    result = action();
  }
  catch (error) {
    return error;
  }
  return fail(`${what} should throw, returned ${String(result)}`);
};

/** Bytes whose value depends on their position, so that a lost or moved one is seen. */
const pattern = (length: number, start = 0): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++)
    bytes[index] = (start + index) * 7 + (start + index >> 8);
  return bytes;
};

const checkPattern = (bytes: Uint8Array, what: string): void => {
  const expected = pattern(bytes.length);
  for (let index = 0; index < bytes.length; index++) {
    if (bytes[index] !== expected[index])
      fail(`${what}: byte ${index} of ${bytes.length} is ${bytes[index]}, should be ${expected[index]}`);
  }
};

/** A socket that writes down what it is told. */
class Recorder {
  readonly events: string[] = [];
  /** All that was read: the first `receivedLength` bytes. */
  private store = new Uint8Array(4096);
  receivedLength = 0;
  /** As reported last, less what has been read since. */
  unreadLength = 0;
  writable = 0;
  writableCount = 0;
  errorCount = 0;
  isReading = true;
  isInsideCallback = false;
  isClosedOnError = true;
  socket!: TCPSocket;
  /** Called at the end of each callback. */
  onEvent: ((name: string) => void) | undefined;

  static open(environment: TransportEnvironment, options: Pick<TCPOptions,
    'address' | 'port' | 'from' | 'nodelay'>): Recorder {
    const recorder = new Recorder();
    let isConstructing = true;
    const record = (name: string, self: unknown, action: () => void): void => {
      if (isConstructing)
        fail(`${name} came from inside the constructor`);
      equal(self, recorder.socket, `this of ${name}`);
      if (recorder.isInsideCallback)
        fail(`${name} came from inside another callback or call`);
      recorder.isInsideCallback = true;
      recorder.events.push(name);
      action();
      recorder.onEvent?.(name);
      recorder.isInsideCallback = false;
    };
    recorder.socket = new environment.TCP({
      ...options,
      onReadable(count) {
        record('readable', this, () => {
          recorder.unreadLength = count;
          if (recorder.isReading)
            recorder.read(count);
        });
      },
      onWritable(count) {
        record('writable', this, () => {
          recorder.writable = count;
          recorder.writableCount++;
        });
      },
      onError() {
        record('error', this, () => {
          recorder.errorCount++;
          if (recorder.isClosedOnError)
            recorder.socket.close();
        });
      },
    });
    isConstructing = false;
    return recorder;
  }

  read(length: number): void {
    while (this.receivedLength + length > this.store.length) {
      const larger = new Uint8Array(2 * this.store.length);
      larger.set(this.store);
      this.store = larger;
    }
    const view = this.store.subarray(this.receivedLength, this.receivedLength + length);
    equal(this.socket.read(view), length, 'result of read');
    this.receivedLength += length;
    this.unreadLength -= length;
  }

  get received(): Uint8Array {
    return this.store.subarray(0, this.receivedLength);
  }

  write(bytes: Uint8Array): void {
    this.writable = this.socket.write(bytes) ?? 0;
  }

  /** Writes as much of `bytes` as may be written. @returns how much */
  writeSome(bytes: Uint8Array): number {
    const length = Math.min(bytes.length, this.writable);
    if (length > 0)
      this.write(bytes.subarray(0, length));
    return length;
  }
}

interface Pair {
  client: Recorder;
  server: Recorder;
  listener: TCPListener;
  close(): void;
}

/** Two connected sockets; `accept` decides what becomes of the server's one. */
const connect = async (environment: TransportEnvironment, isServerReading = true): Promise<Pair> => {
  let server: Recorder | undefined;
  const { listener, port } = await environment.listen(() => {
    server = Recorder.open(environment, { from: listener.read()! });
    server.isReading = isServerReading;
  });
  const client = Recorder.open(environment, { address: environment.address, port, nodelay: true });
  await environment.until(() => server !== undefined && server.writableCount > 0 && client.writableCount > 0);
  return {
    client, server: server!, listener,
    close() {
      client.socket.close();
      server!.socket.close();
      listener.close();
    },
  };
};

type Check = (environment: TransportEnvironment) => Promise<void>;

/** A check that begins with two connected sockets. */
const withPair =
  (check: (pair: Pair, environment: TransportEnvironment) => Promise<void>, isServerReading = true): Check =>
  async environment => {
    const pair = await connect(environment, isServerReading);
    try {
      await check(pair, environment);
    }
    finally {
      pair.close();
    }
    await environment.settle();
  };

export const transportContract: Record<string, Check> = {
  'reports that the connection is established by onWritable': withPair(async ({ client }) => {
    equal(client.events[0], 'writable', 'first event');
    if (client.writable < 1024)
      fail(`only ${client.writable} bytes writable on a new connection`);
  }),

  'reports no bytes and no end on a connection where nothing happens': withPair(async ({ client, server },
    environment) => {
    await environment.settle();
    equal(client.events.concat(server.events).filter(name => name !== 'writable').length, 0, 'events');
  }),

  'carries bytes unchanged in both directions': withPair(async ({ client, server }, environment) => {
    client.write(pattern(300));
    server.write(pattern(500));
    await environment.until(() => server.receivedLength === 300 && client.receivedLength === 500);
    checkPattern(server.received, 'received by the server');
    checkPattern(client.received, 'received by the client');
  }),

  'carries more than the send buffer holds, in order': withPair(async ({ client, server }, environment) => {
    const all = pattern(100_000);
    let sent = 0;
    const send = (): void => {
      while (sent < all.length && client.writable > 0)
        sent += client.writeSome(all.subarray(sent));
    };
    client.onEvent = send;
    send();
    await environment.until(() => server.receivedLength === all.length);
    checkPattern(server.received, 'received');
  }),

  'copies the bytes that are written': withPair(async ({ client, server }, environment) => {
    const bytes = pattern(100);
    client.write(bytes);
    bytes.fill(0xA5);
    await environment.until(() => server.receivedLength === 100);
    checkPattern(server.received, 'received');
  }),

  'writes from a part of a resizable buffer, and reads into one': withPair(async ({ client, server }, environment) => {
    const buffer = new ArrayBuffer(64, { maxByteLength: 64 });
    const tail = new Uint8Array(buffer, 16);
    tail.set(pattern(48));
    buffer.resize(16 + 10);
    client.write(tail);
    buffer.resize(64);
    server.isReading = false;
    await environment.until(() => server.unreadLength === 10);
    tail.fill(0);
    buffer.resize(16 + 10);
    equal(server.socket.read(tail), 10, 'result of read');
    buffer.resize(64);
    checkPattern(tail.subarray(0, 10), 'read');
    equal(tail[10], 0, 'byte behind the end of the view');
  }),

  'returns what may still be written': withPair(async ({ client }) => {
    const before = client.writable;
    equal(client.socket.write(pattern(100)), before - 100, 'writable');
    equal(client.socket.write(pattern(50)), before - 150, 'writable');
  }),

  'takes exactly as much as is writable': withPair(async ({ client, server }, environment) => {
    const length = client.writable;
    equal(client.socket.write(pattern(length)), 0, 'writable afterwards');
    await environment.until(() => server.receivedLength === length);
    checkPattern(server.received, 'received');
  }),

  'takes nothing and throws when more is written than is writable': withPair(async ({ client, server },
    environment) => {
    const { writable } = client;
    thrownBy(() => client.socket.write(new Uint8Array(writable + 1)), 'a write that is too long');
    client.write(pattern(10));
    equal(client.writable, writable - 10, 'writable afterwards');
    await environment.until(() => server.receivedLength > 0);
    await environment.settle();
    equal(server.receivedLength, 10, 'bytes received');
  }),

  'reports onWritable when written bytes have been taken': withPair(async ({ client }, environment) => {
    const count = client.writableCount;
    client.write(pattern(client.writable));
    equal(client.writable, 0, 'writable afterwards');
    await environment.until(() => client.writableCount > count && client.writable > 0);
  }),

  'takes a limited number of bytes for a peer that does not read, and all of them later': withPair(async ({ client,
    server }, environment) => {
    // Systems with large buffers of their own take some megabytes; a check that never ends would take more.
    const limit = 32_000_000;
    let sent = 0;
    const send = (): void => {
      while (client.writable > 0 && sent < limit)
        sent += client.writeSome(pattern(Math.min(client.writable, 65536), sent));
    };
    client.onEvent = send;
    send();
    for (let before = -1; before !== sent;) {
      before = sent;
      await environment.settle();
    }
    client.onEvent = undefined;
    equal(client.writable, 0, 'writable');
    thrownBy(() => client.socket.write(new Uint8Array(1)), 'a write into a full buffer');
    server.isReading = true;
    server.read(server.unreadLength);
    await environment.until(() => server.receivedLength === sent);
    checkPattern(server.received, 'received');
    await environment.until(() => client.writable > 0);
  }, false),

  'throws when written to before the connection is established': async environment => {
    const { listener, port } = await environment.listen(() => {});
    const client = Recorder.open(environment, { address: environment.address, port });
    thrownBy(() => client.socket.write(new Uint8Array(1)), 'an early write');
    client.socket.close();
    listener.close();
    await environment.settle();
    equal(client.events.length, 0, 'events after close');
  },

  'reads in parts of any length, over the borders of what arrived': withPair(async ({ client, server },
    environment) => {
    for (let sent = 0; sent < 1000; sent += 100) {
      client.write(pattern(100, sent));
      await environment.until(() => server.unreadLength === sent + 100);
    }
    for (let length = 1; server.unreadLength > 0; length++)
      server.read(Math.min(length, server.unreadLength));
    checkPattern(server.received, 'received');
  }, false),

  'reports all unread bytes, not only new ones': withPair(async ({ client, server }, environment) => {
    client.write(pattern(100));
    await environment.until(() => server.unreadLength === 100);
    server.read(40);
    client.write(pattern(50, 100));
    await environment.until(() => server.unreadLength !== 60);
    if (server.unreadLength <= 60)
      fail(`only ${server.unreadLength} bytes reported, where 60 were unread before`);
    await environment.until(() => server.unreadLength === 110);
    server.read(110);
    checkPattern(server.received, 'received');
  }, false),

  'does not report unread bytes again before more arrive': withPair(async ({ client, server }, environment) => {
    client.write(pattern(100));
    await environment.until(() => server.unreadLength === 100);
    const reports = (): number => server.events.filter(name => name === 'readable').length;
    const before = reports();
    server.read(40);
    await environment.settle();
    equal(reports(), before, 'reports');
    equal(server.unreadLength, 60, 'bytes left');
  }, false),

  'throws when more is read than is there, and takes nothing': withPair(async ({ client, server }, environment) => {
    client.write(pattern(10));
    await environment.until(() => server.unreadLength === 10);
    thrownBy(() => server.socket.read(new Uint8Array(11)), 'a read that is too long');
    thrownBy(() => server.socket.read(new Uint8Array(0)), 'a read of nothing');
    server.read(10);
    checkPattern(server.received, 'received');
  }, false),

  'returns undefined when nothing is there to be read': withPair(async ({ client, server }, environment) => {
    equal(server.socket.read(new Uint8Array(1)), undefined, 'result before anything arrived');
    client.write(pattern(10));
    await environment.until(() => server.receivedLength === 10);
    equal(server.socket.read(new Uint8Array(1)), undefined, 'result after everything was read');
  }),

  'delivers what was written before close, then the end': withPair(async ({ client, server }, environment) => {
    const length = client.writable;
    client.write(pattern(length));
    client.socket.close();
    await environment.until(() => server.errorCount > 0);
    equal(server.receivedLength, length, 'bytes received');
    checkPattern(server.received, 'received');
    equal(server.errorCount, 1, 'calls of onError');
    equal(server.events.at(-1), 'error', 'last event');
  }),

  'delivers an answer that is written and closed inside onReadable': withPair(async ({ client, server },
    environment) => {
    server.onEvent = name => {
      if (name === 'readable') {
        server.write(pattern(4));
        server.socket.close();
      }
    };
    client.write(pattern(20));
    await environment.until(() => client.errorCount > 0);
    equal(client.receivedLength, 4, 'bytes of the answer');
  }),

  'reports the end only after everything has been read': withPair(async ({ client, server }, environment) => {
    client.write(pattern(100));
    client.socket.close();
    await environment.until(() => server.unreadLength === 100);
    await environment.settle();
    equal(server.errorCount, 0, 'calls of onError before the read');
    server.read(99);
    await environment.settle();
    equal(server.errorCount, 0, 'calls of onError before the last byte');
    server.isInsideCallback = true;
    server.read(1);
    server.isInsideCallback = false;
    await environment.until(() => server.errorCount > 0);
    await environment.settle();
    equal(server.errorCount, 1, 'calls of onError');
  }, false),

  'does not take anything after the end was reported': withPair(async ({ client, server }, environment) => {
    server.isClosedOnError = false;
    client.socket.close();
    await environment.until(() => server.errorCount > 0);
    thrownBy(() => server.socket.write(new Uint8Array(1)), 'a write after the end');
    equal(server.socket.read(new Uint8Array(1)), undefined, 'result of read');
    server.socket.close();
  }),

  'reports a refused connection by onError alone': async environment => {
    const client = Recorder.open(environment, { address: environment.address, port: environment.closedPort });
    await environment.until(() => client.errorCount > 0);
    await environment.settle();
    equal(client.events.join(), 'error', 'events');
  },

  'says nothing after close': withPair(async ({ client, server }, environment) => {
    const before = server.events.length;
    client.write(pattern(100));
    server.socket.close();
    await environment.settle();
    equal(server.events.length, before, 'events');
  }),

  'says nothing after close in the turn of the constructor': async environment => {
    const client = Recorder.open(environment, { address: environment.address, port: environment.closedPort });
    client.socket.close();
    await environment.settle();
    equal(client.events.length, 0, 'events');
  },

  'says nothing after close inside onReadable, whatever else was due': withPair(async ({ client, server },
    environment) => {
    server.onEvent = name => {
      if (name === 'readable')
        server.socket.close();
    };
    server.write(pattern(100));
    client.write(pattern(100));
    client.socket.close();
    await environment.until(() => server.receivedLength > 0);
    const { length } = server.events;
    await environment.settle();
    equal(server.events.length, length, 'events');
  }),

  'may be closed twice': withPair(async ({ client }) => {
    client.socket.close();
    client.socket.close();
  }),

  'throws SyntaxError for anything but close after close': withPair(async ({ client }) => {
    client.socket.close();
    for (const [name, action] of Object.entries({
      read: () => client.socket.read(new Uint8Array(1)),
      write: () => client.socket.write(new Uint8Array(1)),
    })) {
      if (!(thrownBy(action, name) instanceof SyntaxError))
        fail(`${name} after close should throw a SyntaxError`);
    }
  }),

  'throws for an address that is not dotted': async environment => {
    for (const address of ['localhost', ''])
      thrownBy(() => new environment.TCP({ address, port: 1883 }), `address "${address}"`);
  },

  'throws for a port that is none': async environment => {
    for (const port of [-1, 65536])
      thrownBy(() => new environment.TCP({ address: environment.address, port }), `port ${port}`);
  },

  'gives bytes that arrived before the takeover to the new socket': async environment => {
    let waiting: TCPSocket | undefined;
    const { listener, port } = await environment.listen(() => {
      waiting = listener.read();
    });
    const client = Recorder.open(environment, { address: environment.address, port });
    await environment.until(() => client.writable > 0 && waiting !== undefined);
    client.write(pattern(100));
    await environment.settle();
    const server = Recorder.open(environment, { from: waiting! });
    await environment.until(() => server.receivedLength === 100);
    checkPattern(server.received, 'received');
    await environment.until(() => server.writableCount > 0);
    server.write(pattern(10));
    await environment.until(() => client.receivedLength === 10);
    server.socket.close();
    client.socket.close();
    listener.close();
    await environment.settle();
  },

  'closes the object that was taken over': async environment => {
    let taken: TCPSocket | undefined;
    let server: Recorder | undefined;
    const { listener, port } = await environment.listen(() => {
      taken = listener.read()!;
      server = Recorder.open(environment, { from: taken });
    });
    const client = Recorder.open(environment, { address: environment.address, port });
    await environment.until(() => server !== undefined);
    thrownBy(() => taken!.read(new Uint8Array(1)), 'read');
    thrownBy(() => new environment.TCP({ from: taken! }), 'a second takeover');
    taken!.close();
    client.socket.close();
    await environment.until(() => server!.errorCount > 0);
    listener.close();
    await environment.settle();
  },

  'gives a peer that wrote and closed at once to the takeover, bytes first': async environment => {
    let server: Recorder | undefined;
    const { listener, port } = await environment.listen(() => {
      server = Recorder.open(environment, { from: listener.read()! });
    });
    const client = Recorder.open(environment, { address: environment.address, port });
    client.onEvent = () => {
      client.write(pattern(100));
      client.socket.close();
    };
    await environment.until(() => server !== undefined && server.errorCount > 0);
    equal(server!.receivedLength, 100, 'bytes received');
    listener.close();
    await environment.settle();
  },

  'counts the connections that wait, and gives each once': async environment => {
    const counts: number[] = [];
    const { listener, port } = await environment.listen(count => counts.push(count));
    const clients = [1, 2, 3].map(() => Recorder.open(environment, { address: environment.address, port }));
    await environment.until(() => counts.at(-1) === 3);
    const sockets = [listener.read(), listener.read(), listener.read()];
    equal(new Set(sockets).size, 3, 'different sockets');
    equal(sockets.includes(undefined), false, 'a missing one');
    equal(listener.read(), undefined, 'a fourth one');
    for (const socket of sockets)
      socket!.close();
    await environment.until(() => clients.every(client => client.errorCount > 0));
    listener.close();
  },

  'closes the connections that wait when the listener closes, and no others': async environment => {
    let server: Recorder | undefined;
    const { listener, port } = await environment.listen(() => {
      if (!server)
        server = Recorder.open(environment, { from: listener.read()! });
    });
    const first = Recorder.open(environment, { address: environment.address, port });
    await environment.until(() => server !== undefined && server.writableCount > 0);
    const second = Recorder.open(environment, { address: environment.address, port });
    await environment.until(() => second.writableCount > 0);
    await environment.settle();
    listener.close();
    listener.close();
    thrownBy(() => listener.read(), 'read after close');
    await environment.until(() => second.errorCount > 0);
    server!.write(pattern(10));
    await environment.until(() => first.receivedLength === 10);
    const third = Recorder.open(environment, { address: environment.address, port });
    await environment.until(() => third.errorCount > 0);
    first.socket.close();
    server!.socket.close();
    await environment.settle();
  },
};
