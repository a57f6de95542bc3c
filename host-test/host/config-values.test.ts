/** Values that would be wrong without a word: files in other encodings, numbers that do not fit, keys given twice. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfiguration, readConfiguration } from '../../src/host/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringbridge-values-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The lines about a file with these bytes, without its path. */
function errorsOf(content: string | Buffer): string[] {
  const file = join(folder, 'c.json');
  writeFileSync(file, content);
  return loadConfiguration(file).errors.map(line => line.replaceAll(file, 'FILE'));
}

const wide = (text: string, isBig: boolean, mark: boolean): Buffer => {
  const bytes = Buffer.from((mark ? '\uFEFF' : '') + text, 'utf16le');
  return isBig ? bytes.swap16() : bytes;
};

const wider = (text: string, isBig: boolean, mark: boolean): Buffer =>
  Buffer.concat([...(mark ? '\uFEFF' : '') + text].map(character => {
  const bytes = Buffer.alloc(4);
  if (isBig)
    bytes.writeUInt32BE(character.codePointAt(0)!);
  else
    bytes.writeUInt32LE(character.codePointAt(0)!);
  return bytes;
}));

describe('a configuration file in another encoding than UTF-8', () => {
  test.each([[false, true], [true, true], [false, false],
    [true, false]])('of UTF-16 or UTF-32 is named (big-endian %s, with a mark %s)', (isBig, mark) => {
    expect(errorsOf(wide('{"name": "x"}', isBig,
      mark))).toEqual(['FILE:1:1: the file is in UTF-16; save it as UTF-8 instead']);
    expect(errorsOf(wider('{"name": "x"}', isBig,
      mark))).toEqual(['FILE:1:1: the file is in UTF-32; save it as UTF-8 instead']);
  });

  test('of Latin-1 is refused with the place, the path and the byte', () => {
    const text = '{\n  "name": "x",\n  "sensors": [\n    { "name": "Küche", "type": "simulated" }\n  ]\n}';
    expect(errorsOf(Buffer.from(text, 'latin1'))).toEqual([
      'FILE:4:17: sensors[0].name: the byte FC is not UTF-8, as in a file of Latin-1 or Windows-1252; save the file as UTF-8 instead',
    ]);
    expect(errorsOf(text)).toEqual([]);
  });

  test.each<readonly [string, readonly number[], string]>([
    ['a lone continuation byte', [0x80], '80'],
    ['an overlong form', [0xC0, 0xAF], 'C0'],
    ['a surrogate', [0xED, 0xA0, 0x80], 'ED'],
    ['what is beyond Unicode', [0xF5, 0x80, 0x80, 0x80], 'F5'],
    ['a character that is cut off', [0xE2, 0x82], 'E2'],
    ['a byte that begins like a replacement character', [0xEF, 0xBF], 'EF'],
    ['a byte after a real replacement character', [0xEF, 0xBF, 0xBD, 0xFF], 'FF'],
  ])('with %s is refused at its place', (_name, bytes, byte) => {
    const before = '{"upstream": {"remote_password": "ä€😀';
    const errors = errorsOf(Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from('"}}')]));
    const column = before.length + 1 + (byte === 'FF' ? 1 : 0);
    expect(errors).toEqual([`FILE:1:${column}: upstream.remote_password: the byte ${byte} is not UTF-8, as in a file of Latin-1 or Windows-1252; save the file as UTF-8 instead`]);
  });

  test('may begin with the mark of UTF-8', () => {
    expect(errorsOf(Buffer.from('\uFEFF{"name": "€"}'))).toEqual([]);
  });

  test('is not needed for half of a character: an escape makes it as well', () => {
    for (const text of ['\\ud83d', '\\ude00', 'a\\ude00\\ud83d'])
      expect(errorsOf(`{"name": "${text}"}`)).toEqual([
        'FILE:1:2: name: contains half of a character, one of \\uD800 to \\uDFFF without the other; write the character itself instead',
      ]);
    expect(errorsOf('{"name": "\\ud83d\\ude00"}')).toEqual([]);
  });
});

describe('a configuration file that is no regular file', () => {
  test('is refused at once, by its kind', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    mkdirSync(join(folder, 'folder'));
    symlinkSync(join(folder, 'pipe'), join(folder, 'link'));
    symlinkSync(join(folder, 'loop'), join(folder, 'loop'));
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise(resolve => server.once('listening', resolve));
    const errorOf = (name: string): string => loadConfiguration(name).errors.join('\n').replaceAll(`${folder}/`, '');
    expect(errorOf(join(folder, 'pipe'))).toBe('pipe: is a pipe (FIFO); write the path of a regular file instead');
    expect(errorOf(join(folder, 'link'))).toBe('link: is a pipe (FIFO); write the path of a regular file instead');
    expect(errorOf(join(folder, 'folder'))).toBe('folder: is a folder; write the path of a regular file instead');
    expect(errorOf(join(folder, 'socket'))).toBe('socket: is a socket; write the path of a regular file instead');
    expect(errorOf('/dev/zero')).toBe('/dev/zero: is a device; write the path of a regular file instead');
    expect(errorOf(join(folder, 'loop'))).toMatch(/^loop: is a symbolic link that leads back to itself; write /);
    expect(errorOf(join(folder, 'missing'))).toMatch(/^missing: there is no such file; write /);
    expect(errorOf(join(folder, 'c.json', 'x'))).toMatch(/^c\.json\/x: there is no such file; write /);
    expect(errorOf(join(folder, 'x'.repeat(5000)))).toMatch(/: the path is too long; write a shorter one instead$/);
    server.close();
  });

  test('or may not be read', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, '{}');
    chmodSync(file, 0);
    chmodSync(folder, 0o755);
    const nobody = process.getuid!() === 0 ? { uid: 65_534 } : {}; // root may read everything
    const { status, stderr } =
      spawnSync(process.execPath, ['dist/host/main.js', 'check', file], { encoding: 'utf8', ...nobody });
    expect([status, stderr]).toEqual([2,
      `${file}: this user may not read it; change its owner or its mode, for example with chmod\n`]);
  });

  test('or is far too long', () => {
    expect(errorsOf(Buffer.alloc(17 * 1024 * 1024,
      0x20))).toEqual([expect.stringMatching(/^FILE: has more than 16777216 bytes; write /)]);
  });
});

describe('a number that does not arrive as it is written', () => {
  test.each<readonly [string, readonly string[]]>([
    ['{"sensors": [{"name": "a", "type": "simulated", "scale": 1e999}]}',
      ['1:49: sensors[0].scale: 1e999 is larger than any number here; write a number from -1000000000 to 1000000000 instead']],
    ['{"listener": {\n"port": -1e999}}',
      ['2:1: listener.port: -1e999 is smaller than any number here; write a number from 0 to 65535 instead']],
    ['{"upstream": {"restart_timeout": [1, 1e400]}}',
      ['1:38: upstream.restart_timeout[1]: 1e400 is larger than any number here; write a number from 0.01 to 86400 instead']],
    ['{"name": 1e999}', ['1:2: name: must be a text in double quotes, not a number; write "Infinity" instead']],
    ['{"sensors": [{"name": "a", "type": "simulated", "deadband": 0.1e-400}]}',
      ['1:49: sensors[0].deadband: 0.1e-400 is so small that it would be 0; write 0 or a larger number instead']],
    ['{"listener": {"port": 18446744073709551617}}',
      ['1:15: listener.port: 18446744073709551617 is too large; write a number from 0 to 65535 instead']],
    ['{"store": {"size": 9007199254740993}}',
      ['1:12: store.size: 9007199254740993 is too large; write a number from 0 to 4294967295 instead']],
    ['{"listener": {"max_connections": 0.4}}', [/write a number from 1 to 1024 instead$/.source]],
    ['{"listener": {"port": "99999"}}', [/write a number from 0 to 65535 instead$/.source]],
    ['{"listener": {"port": "1e999"}}', [/write a number from 0 to 65535 instead$/.source]],
    ['{"sensors": [{"name": "a", "type": "simulated", "scale": 0}]}',
      ['1:49: sensors[0].scale: with 0 every reading is the same; write another number instead, or leave it out']],
    ['{"sensors": [{"name": "a", "type": "simulated", "scale": -0}]}', [/with 0 every reading is the same/.source]],
  ])('is refused with its place: %s', (text, expected) => {
    const errors = errorsOf(text).map(line => line.replace('FILE:', ''));
    expect(errors).toHaveLength(1);
    if (/^\d/.test(expected[0]!))
      expect(errors).toEqual(expected);
    else
      expect(errors[0]).toMatch(new RegExp(expected[0]!));
  });

  test.each(['NaN', 'Infinity', '-Infinity', '+1', '0x10', '.5', '1.', '01', '1e', '1_000'])('is not even JSON: %s',
    number => {
    const errors = errorsOf(`{"listener": {\n  "port": ${number} }}`);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^FILE:2:\d+: .*; write /);
  });

  test('is not -0, which is 0', () => {
    const { configuration, errors } =
      readConfiguration('{"listener": {"port": -0}, "sensors": [{"name": "a", "type": "simulated", "offset": -0.0}]}',
        'c');
    expect(errors).toEqual([]);
    expect([configuration!.listener.port, configuration!.sensors[0]!.offset]).toEqual([0,
      0]); // toEqual tells -0 from 0
  });
});

describe('a key', () => {
  test.each([
    ['{"listener": {"port": 1,\n"port": 2}}', '2:1: listener.port: this key is there twice; write it once instead'],
    ['{"topic": [{}, {"qos": 1, "qos": 1}]}', '1:27: topic[1].qos: this key is there twice; write it once instead'],
    ['{"name": "a", "n\\u0061me": "b"}', '1:15: name: this key is there twice; write it once instead'],
    ['{"upstream": {}, "upstream": {"prot": 1}}', '1:18: upstream: this key is there twice; write it once instead'],
    ['{"$schema": "a", "$schema": "a"}', '1:18: $schema: this key is there twice; write it once instead'],
    ['{"listener": {"__proto__": {"allow_anonymous": true}}}',
      '1:15: listener.__proto__: there is no such key; remove it'],
  ])('that is there twice, or is none, is refused where it is: %s', (text, expected) => {
    expect(errorsOf(text).map(line => line.replace('FILE:', ''))).toContain(expected);
  });
});

describe('nested lists and objects', () => {
  test.each(['[', '{"a":', '[{"a":', '{"sensors":['])('are refused when they never end, at the place: %s', part => {
    for (const text of [part.repeat(100_000), part.repeat(20) + '1' + '}]'.repeat(20),
      '// [[[[\n' + part.repeat(3_000)]) {
      const errors = errorsOf(text);
      expect(errors.length).toBeGreaterThan(0);
      for (const line of errors)
        expect(line).toMatch(/^FILE:\d+:\d+: .*write /);
    }
    expect(errorsOf(part.repeat(100_000))).toEqual([expect.stringMatching(/^FILE:1:\d+: too many brackets within each other; write fewer instead$/)]);
  });

  test('are counted outside texts and comments only', () => {
    expect(errorsOf(`{"name": "${'['.repeat(40)}" /* ${'{'.repeat(40)} */}`)).toEqual([]);
  });
});

describe('a file of comments only', () => {
  test('is told what to write', () => {
    expect(errorsOf('// nothing\n')).toEqual(['FILE:1:1: the file is empty; write {} instead for a configuration of defaults']);
  });
});

describe('a suggestion', () => {
  test('to write 0 for max_sessions tells what 0 gives', () => {
    const errors = errorsOf('{"listener": {"max_connections": 10, "max_sessions": 3}}');
    const zero = readConfiguration('{"listener": {"max_connections": 10, "max_sessions": 0}}',
      'c').configuration!.listener.max_sessions;
    expect(errors).toEqual([`FILE:1:38: listener.max_sessions: fewer sessions than connections; write 10 or more instead, or 0 for ${zero}`]);
    expect(zero).toBe(12);
  });

  test('of a size for the store is accepted, whatever is too large for the one that was written', () => {
    for (const length of [128, 1000, 5000, 65_536]) {
      const text = (size: number): string =>
        `{"listener": {"max_packet_size": ${length}}, "store": {"durability": "flash", "size": ${size}}}`;
      const least = Number(/write (\d+) or more/.exec(errorsOf(text(0))[0]!)![1]);
      expect(errorsOf(text(least))).toEqual([]);
      expect(errorsOf(text(length))).toEqual([expect.stringContaining(`write ${least} or more`)]);
    }
  });

  test('of expire_after is a number that people write, and is accepted', () => {
    for (const interval of [0.1, 0.7, 3, 65_535]) {
      const text = (seconds: number): string =>
        `{"sensors": [{"name": "a", "type": "simulated", "interval": ${interval}, "expire_after": ${seconds}}]}`;
      const [, advised] = /write (\d+) instead$/.exec(errorsOf(text(interval))[0]!)!;
      expect(errorsOf(text(Number(advised)))).toEqual([]);
    }
  });

  test('of an address is an address', () => {
    expect(errorsOf('{"upstream": {"address": ["10.0.0.1:99999"]}}')).toEqual([expect.stringMatching(/; write mqtt:\/\/host or mqtt:\/\/host:port instead$/)]);
  });
});

describe('heartbeat', () => {
  const warningsOf = (keys: string): readonly string[] => {
    const { errors, warnings } =
      readConfiguration(`{"topic": [{}], "listener": {"allow_anonymous": true, "address": "127.0.0.1"}, "sensors": [{"name": "a", "type": "simulated", ${keys}}]}`, 'c');
    expect(errors).toEqual([]);
    return warnings;
  };

  test('that can do nothing is warned about', () => {
    expect(warningsOf('"heartbeat": 60')).toEqual([expect.stringMatching(/sensors\[0\]\.heartbeat: does nothing without "deadband"/)]);
    expect(warningsOf('"heartbeat": 5, "deadband": 1, "interval": 10')).toEqual([expect.stringMatching(/there is a reading every 10 seconds only; write 10 or more/)]);
    expect(warningsOf('"heartbeat": 60, "deadband": 1')).toEqual([]);
    expect(warningsOf('"heartbeat": 60, "filters": [{ "delta": 1 }]')).toEqual([]);
  });
});
