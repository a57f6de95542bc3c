/**
 * The entry point of the device with all it has of the platform, the ESP32's `board` and its Wi-Fi among it, on a
 * simulated board in virtual time: what happens when, and what costs nothing but a line.
 */
import { beforeEach, expect, test, vi } from 'vitest';
import { ScriptedServer } from '../simulation/scripted-peer.ts';
import { ESP32, PEER, SimulatedNetwork, type SimulatedHost } from '../simulation/simulated-network.ts';
import { type ScheduledEvent, VirtualClock } from '../simulation/virtual-clock.ts';
import { hexOfBytes } from '../simulation/hex.ts';
import { type CutOptions, FlashMedium } from '../simulation/simulated-flash.ts';
import { SimulatedNORFlash } from '../simulation/simulated-nor-flash.ts';
import { CONFIG_PARTITION_LENGTH, ConfigSlots, SECTOR } from '../../src/device/config-slots.ts';

const DISCONNECTED = 200;
const CONNECTING = 300;
const READY = 500;

interface Callback { action: () => void; repeat: number | undefined; event: ScheduledEvent | undefined }

/** What the mocked modules of the SDK are made of; new for each test. */
const world = vi.hoisted(() => ({
  clock: undefined as unknown as VirtualClock,
  board: undefined as unknown as SimulatedHost,
  config: {} as Record<string, unknown>,
  preference: undefined as string | undefined,
  /** The partition `config`, if the board has one. */
  medium: undefined as FlashMedium | undefined,
  cut: {} as CutOptions,
  lines: [] as string[],
  /** What the C files are told and know. */
  serial: [] as string[],
  notes: [] as number[][],
  isOnTrial: false,
  /** What the clock of the board was set to, and what the time server was asked. */
  times: [] as number[],
  questions: [] as { host: string; answer: (message: number, value: unknown) => void }[],
  wifi: { connection: 200, address: '10.0.0.1', attempts: [] as unknown[], onChanged: () => {} },
  read: (): number => 21,
}));

vi.mock('embedded:io/socket/tcp', () =>
  ({ default: class { constructor(options: never) { return new world.board.TCP(options); } } }));
vi.mock('embedded:io/socket/listener', () =>
  ({ default: class { constructor(options: never) { return new world.board.Listener(options); } } }));
vi.mock('embedded:io/socket/udp', () => ({ default: class {} }));
vi.mock('embedded:network/dns/resolver/udp', () => ({ default: class {} }));
vi.mock('embedded:network/dnssd', () => ({ default: class { claim(): void { world.lines.push('claimed'); } } }));
vi.mock('embedded:network/interface/wifi', () => ({
  default: class {
    constructor({ onChanged }: { onChanged: () => void }) {
      world.wifi.onChanged = onChanged;
    }
    get connection(): number { return world.wifi.connection; }
    get address(): string { return world.wifi.address; }
    connect(options: unknown): void {
      world.wifi.attempts.push(options);
      world.wifi.connection = CONNECTING;
    }
    disconnect(): void {
      world.wifi.connection = DISCONNECTED;
    }
  },
}));
vi.mock('embedded:storage/flash', () => ({
  default: {
    open({ path }: { path: string }): SimulatedNORFlash {
      if (path === 'config' && world.medium !== undefined)
        return new SimulatedNORFlash(world.medium, world.cut);
      throw new Error("can't find partition");
    },
  },
}));
vi.mock('mc/config', () => ({ default: new Proxy({}, { get: (_target, name) => world.config[name as string] }) }));
vi.mock('mc/ffi', () => ({
  default: class {
    ringbridge_reset_reason = (): number => 6;
    ringbridge_heap_free = (): number => 3000;
    ringbridge_heap_minimum = (): number => 2000;
    ringbridge_heap_largest = (): number => 1000;
    ringbridge_note_begin = (): number => 2;
    ringbridge_note_code = (): number => 2;
    ringbridge_note_subject = (): number => 3;
    ringbridge_note_write = (...note: number[]): void => { world.notes.push(note); };
    ringbridge_image_is_on_trial = (): number => world.isOnTrial ? 1 : 0;
    ringbridge_image_accept = (): number => { world.isOnTrial = false; return 0; };
    ringbridge_image_give_up = (): number => 1;
    ringbridge_log_line = (text: string): number => world.serial.push(text);
  },
}));
vi.mock('preference', () => ({
  default: {
    get: () => world.preference,
    delete: () => {
      world.preference = undefined;
    },
  },
}));
vi.mock('crypt', () =>
  ({ Digest: class { reset(): void {} write(): void {} close(): ArrayBuffer { return new ArrayBuffer(32); } } }));
vi.mock('time', () =>
  ({ default: { get ticks() { return world.clock.now; }, set: (seconds: number) => world.times.push(seconds) } }));
vi.mock('sntp', () => ({
  default: class {
    static time = 1;
    static error = -1;
    constructor(options: { host: string }, answer: (message: number, value: unknown) => void) {
      world.questions.push({ ...options, answer });
    }
  },
}));
vi.mock('timer', () => ({
  default: {
    set(action: () => void, delay = 0): Callback {
      return { action, repeat: undefined, event: world.clock.schedule(delay, action) };
    },
    repeat(action: () => void, interval: number): Callback {
      const timer: Callback = { action, repeat: interval, event: undefined };
      start(timer, interval);
      return timer;
    },
    schedule(timer: Callback, first?: number, repeat?: number): void {
      if (timer.event !== undefined)
        world.clock.cancel(timer.event);
      timer.event = undefined;
      timer.repeat = repeat;
      if (first !== undefined)
        start(timer, first);
    },
  },
}));
/** What it reads from its pins is not what is tested here. */
vi.mock('../../src/device/sensors.ts', () =>
  ({ BoardSensors: class { create() { return { read: () => world.read() }; } } }));
vi.mock('board', () => import('../../src/device/board-esp32.ts'));

function start(timer: Callback, delay: number): void {
  timer.event = world.clock.schedule(delay, () => {
    timer.event = undefined;
    if (timer.repeat !== undefined)
      start(timer, timer.repeat);
    timer.action();
  });
}

const CONFIGURATION = {
  name: 'b', upstream: { address: ['mqtt://10.0.0.2'] }, listener: { allow_anonymous: true },
  topic: [{ pattern: '#', direction: 'out' as const, qos: 1 as const }],
    sensors: [{ name: 's', type: 'analog', pin: 1, interval: 10 }],
};

let server: ScriptedServer;
let nodes: SimulatedHost;

beforeEach(() => {
  vi.resetModules();
  world.clock = new VirtualClock();
  const network = new SimulatedNetwork(1, world.clock);
  world.board = network.addHost('10.0.0.1', ESP32);
  world.board.isOnline = false;
  server = new ScriptedServer(network.addHost('10.0.0.2', PEER), 1883);
  nodes = network.addHost('10.0.0.3', PEER);
  server.onPeer = peer => {
    peer.onReceived = () => { // CONNECT; the rest is kept
      peer.onReceived = undefined;
      peer.send('20020000');
    };
  };
  world.config = { ringbridge: CONFIGURATION, wifi_ssid: 'home', wifi_password: 'secret', sntp: '' };
  world.preference = undefined;
  world.medium = new FlashMedium(SECTOR, CONFIG_PARTITION_LENGTH / SECTOR);
  world.cut = {};
  world.isOnTrial = false;
  world.serial.length = world.notes.length = 0;
  world.lines.length = world.times.length = world.questions.length = 0;
  world.wifi.connection = DISCONNECTED;
  world.wifi.attempts.length = 0;
  world.read = () => 21;
  vi.stubGlobal('trace', (text: string) => world.lines.push(text.trimEnd()));
  // What XS has for texts
  Object.assign(String,
    { fromArrayBuffer: (buffer: ArrayBuffer) => new TextDecoder('utf-8', { fatal: true }).decode(buffer) });
  Object.assign(ArrayBuffer, { fromString: (text: string) => new Uint8Array(new TextEncoder().encode(text)).buffer });
  vi.stubGlobal('System', { restart: () => world.lines.push('restarted') });
});

const boot = async (): Promise<void> => {
  await import('../../src/device/main.ts');
};

function setWiFi(connection: number): void {
  world.wifi.connection = connection;
  world.board.isOnline = connection === READY;
  world.wifi.onChanged();
}

/** Counts what has been published to the Server, whose PUBACKs are withheld. */
function published(text: string): number {
  return server.peers.reduce((sum, peer) => sum + peer.received.split(hexOfBytes(Buffer.from(text))).length - 1, 0);
}

test('samples from the start, and calls the Server when the Wi-Fi is there', async () => {
  let readings = 0;
  world.read = () => ++readings;
  await boot();
  world.clock.advance(45_000);
  expect([readings, server.peers.length, world.wifi.attempts]).toEqual([5, 0,
    expect.arrayContaining([{ SSID: 'home', password: 'secret' }])]);
  expect(world.lines.filter(line => /upstream|listen/.test(line))).toEqual([]);
  setWiFi(READY);
  world.clock.advance(1000);
  for (let reading = 1; reading <= 5; ++reading)
    expect(published(`${reading}.00`)).toBe(1);
  expect(world.lines).toContain('ready listener=:1883 upstream=mqtt://10.0.0.2');
  expect(world.lines).toContain('claimed');
});

test('joins the Wi-Fi again when it is lost, and does not wait with the next attempt', async () => {
  await boot();
  setWiFi(READY);
  world.clock.advance(100);
  expect(world.lines.at(-1)).toBe('upstream connected');
  setWiFi(DISCONNECTED);
  server.peer.close();
  world.clock.advance(30_000);
  expect(world.lines).toContain('Wi-Fi lost');
  const attempts = world.wifi.attempts.length;
  expect(attempts).toBeGreaterThan(1);
  setWiFi(READY);
  world.clock.advance(200);
  expect(world.lines.at(-1)).toBe('upstream connected');
  expect(world.lines.filter(line => line.startsWith('ready')).length).toBe(1);
  expect(world.lines.filter(line => line === 'claimed').length).toBe(1);
});

test('asks anew when joining takes too long', async () => {
  await boot();
  world.clock.advance(65_000); // CONNECTING all the time
  expect(world.wifi.attempts.length).toBe(3);
});

test('without a name of a Wi-Fi says so, and samples', async () => {
  let readings = 0;
  world.read = () => ++readings;
  world.config['wifi_ssid'] = '';
  await boot();
  world.clock.advance(25_000);
  expect(readings).toBe(3);
  expect(world.lines).toContain('no Wi-Fi: build with wifi_ssid=NAME wifi_password=PASSWORD');
});

test('the time is asked for when there is a network, again after a failure, and once a day', async () => {
  world.config['sntp'] = 'time.example';
  await boot();
  world.clock.advance(10_000);
  expect(world.questions).toEqual([]);
  setWiFi(READY);
  expect(world.questions.map(({ host }) => host)).toEqual(['time.example']);
  world.questions[0]!.answer(-1, 'cannot resolve');
  expect(world.lines).toContain('time.example does not tell the time: cannot resolve');
  world.clock.advance(60_000);
  world.questions[1]!.answer(1, 1_800_000_000);
  expect(world.times).toEqual([1_800_000_000]);
  world.clock.advance(86_399_000);
  expect(world.questions.length).toBe(2);
  world.clock.advance(1000);
  expect(world.questions.length).toBe(3);
});

test('a listener that cannot be had keeps nodes out, not the Server, and is tried again', async () => {
  const listeners = Array.from({ length: ESP32.listenerLimit }, (_, index) => {
    world.board.isOnline = true;
    return new world.board.Listener({ port: 5000 + index, onReadable() {} });
  });
  await boot();
  setWiFi(READY);
  world.clock.advance(1000);
  expect(world.lines).toContain('cannot listen: no memory; the next attempt is in 30 seconds');
  expect(world.lines).toContain('upstream connected');
  listeners.forEach(listener => listener.close());
  world.clock.advance(30_000);
  const accepted: string[] = [];
  new nodes.TCP({ address: '10.0.0.1', port: 1883, onWritable: () => accepted.push('connected') });
  world.clock.advance(100);
  expect(accepted).toEqual(['connected']);
});

test('a store without a partition keeps readings in memory, with a line that says what to do', async () => {
  world.config['ringbridge'] = { ...CONFIGURATION, store: { durability: 'flash' } };
  await boot();
  setWiFi(READY);
  world.clock.advance(1000);
  expect(world.lines).toContainEqual(expect.stringMatching(/^no flash partition "store": add one to the partition table \(data, any subtype, 64 KB or more\); until that is mended, nodes get no acknowledgement .*on_failure is "refuse"\); readings are kept in memory$/));
  expect(published('21.00')).toBe(1);
});

test('a stored configuration that cannot work costs a line: the compiled-in one is used', async () => {
  store({ upstream: { address: ['nonsense'] } });
  await boot();
  setWiFi(READY);
  world.clock.advance(1000);
  expect(world.lines[1]).toMatch(/^the stored configuration 1: 1:25: upstream.address\[0\]: "nonsense" is not an upstream address/);
  expect(world.lines[2]).toBe('the stored configuration 1 is not used');
  expect(world.lines).toContain('upstream connected');
});

/** As a page or a command would store it. */
function store(configuration: unknown): void {
  const text = typeof configuration === 'string' ? configuration : JSON.stringify(configuration);
  new ConfigSlots(new SimulatedNORFlash(world.medium!)).write(new TextEncoder().encode(text));
}

const STORED = { ...CONFIGURATION, name: 'stored' };

/** The board restarts, with what its flash holds. */
async function reboot(): Promise<void> {
  vi.resetModules();
  world.clock = new VirtualClock();
  world.lines.length = 0;
  await boot();
}

/** @returns the name of the configuration that is used */
const nameUsed = (): string | undefined =>
  world.lines.map(line => /^ringbridge "(\w+)"/.exec(line)?.[1]).find(name => name !== undefined);

test('a stored configuration is used, and the built-in one where none is stored', async () => {
  await boot();
  expect(nameUsed()).toBe('b');
  store(STORED);
  await reboot();
  expect(nameUsed()).toBe('stored');
});

test('a configuration in the preferences is moved once, also when the power fails meanwhile', async () => {
  const text = JSON.stringify(STORED);
  for (let cut = 0; cut < 200; cut += 9) {
    world.medium = new FlashMedium(SECTOR, CONFIG_PARTITION_LENGTH / SECTOR);
    world.preference = text;
    world.cut = { cutAt: cut };
    await reboot();
    world.cut = {};
    await reboot();
    expect([nameUsed(), world.preference], `cut at ${cut}`).toEqual(['stored', undefined]);
  }
  world.clock.advance(700_000);
  await reboot();
  expect([nameUsed(), world.lines.some(line => line.includes('preferences'))]).toEqual(['stored', false]);
});

test.each(['write', 'all'] as const)('a flash that fails costs lines, not the gateway: %s', async failing => {
  store(STORED);
  world.cut = { failsAt: 0, failing };
  await boot();
  setWiFi(READY);
  world.clock.advance(700_000);
  expect(nameUsed()).toBe('stored');
  expect(world.lines).toContain('the list of starts cannot be written: the medium refuses');
  expect(world.lines).toContain('upstream connected');
});

test('without a partition for it a configuration in the preferences is used where it is', async () => {
  world.medium = undefined;
  world.preference = JSON.stringify(STORED);
  await boot();
  expect(nameUsed()).toBe('stored');
  expect(world.lines).toContain('no configuration can be stored: no flash partition "config": flash the whole image anew, with its partition table');
});

/** With these the built-in configuration fits an ESP32-C3. */
const SMALL = { max_connections: 4, max_packet_size: 512, max_queued_bytes: 640, max_retained_bytes: 1024 };

test.each([
  ['has a port that is text', { listener: { port: 'abc' } },
    '1:14: listener.port: must be a whole number, not a text in double quotes; write for example 1883 instead'],
  ['has a number that is none', '{"sensors":[{"name":"a","type":"simulated","scale":1e999}]}',
    '1:44: sensors[0].scale: '],
  ['is cut', '{"name":"x', '1:9: this text has no end; write a double quote after it'],
  ['asks for more sessions than there is memory for', { ...STORED, listener: { max_sessions: 4096 } },
    'does not fit the memory of the board "esp32c3": '],
  ['asks for more memory than there is for the arena', { ...STORED, store: { ram: 60_000_000 } },
    'does not fit the memory of the board "esp32c3": '],
  ['has more rules than fit, each of two bytes',
    `{"upstream":{"address":["mqtt://10.0.0.2"]},"topic":[${Array.from({ length: 200 }, () => '{}').join()}]}`,
      'does not fit the memory of the board "esp32c3": '],
  ['has the board itself as its broker', { name: 'stored' },
    '1:1: upstream.address[0]: "mqtt://127.0.0.1:1883" is the board itself, where no broker is; write the broker\'s address, like "mqtt://192.168.1.10:1883", instead'],
])('a stored configuration that %s is refused in the words of the PC', async (_name, configuration, words) => {
  world.config['board'] = 'esp32c3';
  world.config['board_memory'] = 114_688;
  store(configuration);
  world.config['ringbridge'] = { ...CONFIGURATION, listener: { ...SMALL, allow_anonymous: true } };
  await boot();
  expect(world.lines[1]).toContain(`the stored configuration 1: ${words}`);
  expect(world.lines).toContain('the stored configuration 1 is not used');
  expect(nameUsed()).toBe('b');
});

test('a built-in configuration whose broker is the board itself calls nobody, and the listener works', async () => {
  world.config['ringbridge'] = { name: 'b', listener: { allow_anonymous: true } };
  await boot();
  setWiFi(READY);
  world.clock.advance(5000);
  expect(world.lines.some(line =>
    line.startsWith('upstream.address: "mqtt://127.0.0.1" is the board itself'))).toBe(true);
  expect(server.peers.length).toBe(0);
  const accepted: string[] = [];
  new nodes.TCP({ address: '10.0.0.1', port: 1883, onWritable: () => accepted.push('connected') });
  world.clock.advance(100);
  expect(accepted).toEqual(['connected']);
});

test('a configuration is good after a minute with the listener open, and not before', async () => {
  store(STORED);
  const isGood = (): boolean => new ConfigSlots(new SimulatedNORFlash(world.medium!)).list()[0]!.isGood;
  await boot();
  world.clock.advance(120_000); // no Wi-Fi
  setWiFi(READY);
  world.clock.advance(59_000);
  expect(isGood()).toBe(false);
  world.clock.advance(2000);
  expect(isGood()).toBe(true);
});

test('a configuration is good after ten minutes without a network', async () => {
  store(STORED);
  await boot();
  world.clock.advance(599_000);
  expect(new ConfigSlots(new SimulatedNORFlash(world.medium!)).list()[0]!.isGood).toBe(false);
  world.clock.advance(2000);
  expect(new ConfigSlots(new SimulatedNORFlash(world.medium!)).list()[0]!.isGood).toBe(true);
});

test('three starts that are not good lead to safe mode without the store, which tries again after a quarter of an hour', async () => {
  store({ ...STORED, store: { durability: 'flash' } });
  const names: (string | undefined)[] = [];
  for (let count = 0; count < 3; ++count) {
    await reboot();
    names.push(nameUsed());
  }
  expect(names).toEqual(['stored', 'stored', 'b']);
  world.config['ringbridge'] = { ...CONFIGURATION, store: { durability: 'flash' } };
  await reboot();
  expect(world.lines[1]).toMatch(/^safe mode: the last 3 starts have not worked for a minute/);
  expect(world.lines.some(line => line.includes('partition "store"'))).toBe(false);
  world.clock.advance(600_000 + 899_000);
  expect(world.lines).not.toContain('restarted');
  world.clock.advance(2000);
  expect(world.lines).toContain('restarted');
});

test('tells once why it has started, on the serial line too unless that is switched off', async () => {
  const words = 'started because of the task watchdog: it hung for ten seconds, 2 times since the power came; '
    + 'before that the program gave up: memory full, while it handled session 1';
  await boot();
  expect(world.lines[0]).toBe(words);
  expect(world.serial).toEqual(world.lines);
  world.config['serial_log'] = 'off';
  world.serial.length = 0;
  await reboot();
  expect(world.lines[0]).toBe(words);
  expect(world.serial).toEqual([]);
});

test('accepts a new firmware when the start has reached good, and tells the memory', async () => {
  world.isOnTrial = true;
  await boot();
  setWiFi(READY);
  world.clock.advance(59_000);
  expect(world.isOnTrial).toBe(true);
  world.clock.advance(2000);
  expect(world.isOnTrial).toBe(false);
  expect(world.lines).toContain('the new firmware works and stays');
  expect(world.lines).toContain('memory: 3000 bytes free, 2000 at least, 1000 in one piece');
});

test('a configuration that cannot work at all restarts the board, later', async () => {
  world.config['ringbridge'] = { upstream: { address: ['nonsense'] } };
  await boot();
  world.clock.advance(29_000);
  expect(world.lines.at(-1)).toMatch(/^not started: 1:25: upstream.address\[0\]: "nonsense" is not/);
  world.clock.advance(2000);
  expect(world.lines.at(-1)).toBe('restarted');
});

test('an exception that has left a callback ends nothing, what is worse ends the program', async () => {
  await boot();
  setWiFi(READY);
  world.clock.advance(100);
  const { abort } = globalThis as unknown as { abort(reason: string, exception?: unknown): boolean };
  expect(abort('unhandled exception', new Error('slip'))).toBe(false);
  expect(world.lines).toContain('defect: slip');
  expect(abort('memory full')).toBe(true);
  expect(world.notes).toEqual([[2, expect.any(Number)]]);
  world.clock.advance(40_000); // it has cost the connection whose event came last
  expect(world.lines.filter(line => line === 'upstream connected').length).toBe(2);
});
