/**
 * The C files of a board, compiled on this computer with the sanitizers, and what TypeScript makes of what they tell.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, test } from 'vitest';
import { codeOfAbort, Diagnosis, type Natives, SESSION_AT_HAND, UPSTREAM_AT_HAND } from '../../src/device/natives.ts';
import { startable32 } from '../xs/programs-32.mjs';

const device = fileURLToPath(new URL('../../src/device', import.meta.url));
const tests = fileURLToPath(new URL('natives', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ringbridge-natives-'));
/** As on a board: words of 32 bits. Without the address sanitizer, which never ends where they are emulated. */
const BITS_32 = '-m32';
afterAll(() => rmSync(folder, { recursive: true }));

const sources = readdirSync(device).filter(file => file.endsWith('.c'));

function run(name: string, ...flags: string[]): string[] {
  const program = join(folder, name);
  const is32 = flags.includes(BITS_32);
  execFileSync('gcc',
    ['-std=c11', '-O1', '-g', '-Wall', '-Wextra', '-Wconversion', '-Werror',
      `-fsanitize=${is32 ? '' : 'address,'}undefined`, '-fno-sanitize-recover',
    '-DRINGBRIDGE_TEST', ...flags, ...sources.map(file => join(device, file)), join(tests, 'natives-test.c'), '-o',
      program]);
  return execFileSync(is32 ? startable32(program) : program, { encoding: 'utf8' }).trimEnd().split('\n');
}

/** The names of ESP-IDF's headers, each with the stand-ins. */
function makeHeaders(): string {
  const used = new Set(sources.flatMap(file =>
    [...readFileSync(join(device, file), 'utf8').matchAll(/"([\w/]+\.h)"/g)].map(([, header]) => header!)));
  for (const directory of ['driver', 'freertos', 'soc'])
    mkdirSync(join(folder, directory), { recursive: true });
  for (const header of used)
    writeFileSync(join(folder, header), `#include "${join(tests, 'esp-idf.h')}"\n`);
  return folder;
}

const NOTES = [
  'power: start 1, code 0, subject 0',
  'restart: start 2, code 0, subject 0',
  'crash: start 3, code 2, subject 5',
  'after it: start 4, code 0, subject 0',
  'notes with a wrong bit that were believed: 0 of 160',
];
const LINES =
  ['long line 1, 162 characters', 'of 100 lines at once 29', 'after ten seconds 1: (more lines were not written)||z||'];

const WIRES = [
  'a part is there 1, has heard CC 44, says A5; microseconds of a byte 560',
  'nobody is there 0, FF; a line that is low -1',
  'line 1 of 9600 baud, parity 2, stop bits 3, pins 16 and 17; the same again 1, 115200 baud, another -1',
  'sent 3; read 5 2 0; of a full ring 1000A',
  'counters 0 1 0 -1; falling 1, rising 0, read 70000 4294967295',
];

/** Each compiles all of them, with sanitizers: seconds, and more on a busy machine. */
describe('the C files', { timeout: 60_000 }, () => {
  it('do on a board what they say', () => {
    expect(run('board', '-DESP_PLATFORM', `-I${makeHeaders()}`)).toEqual([
      ...NOTES, 'reset reason 6, heap 3000 2000 1000', 'on trial 1, accept 0, on trial 0, give up 5379', ...LINES, ...WIRES,
    ]);
  });

  it('do the same with words of 32 bits', () => {
    expect(run('board-32', BITS_32, '-DESP_PLATFORM', `-I${makeHeaders()}`)).toEqual(run('board-64', '-DESP_PLATFORM',
      `-I${makeHeaders()}`));
  });

  it('compile for the processor of an ESP32-C3 without a warning', () => {
    for (const file of sources)
      expect(() => execFileSync('riscv64-unknown-elf-gcc', ['-march=rv32imc', '-mabi=ilp32', '-std=c11', '-Os', '-Wall',
        '-Wextra', '-Wconversion', '-Werror', '-ffreestanding', '-DESP_PLATFORM', `-I${makeHeaders()}`, '-c',
        join(device, file), '-o', join(folder, `${file}.o`)]), file).not.toThrow();
  });

  it('know nothing of the machine in the simulator, but keep the note as long as it runs', () => {
    expect(run('simulator')).toEqual([...NOTES, 'reset reason 0, heap 0 0 0',
      'on trial 0, accept 0, on trial 0, give up -1', ...LINES,
      'wire 0 0, line -1 0, counter -1 0']);
  });

  it('have one name for each function of the interface, and the manifest the same', () => {
    const text = sources.map(file =>
      readFileSync(join(device, file), 'utf8').replace(/#ifdef RINGBRIDGE_TEST[\s\S]*?#endif/g, '')).join('\n');
    const defined = [...text.matchAll(/^\w+ (ringbridge_\w+)\([^)]*\)$/gm)].map(([, name]) => name!).sort();
    const described =
      [...readFileSync(join(device, 'natives.ts'), 'utf8').matchAll(/^ {2}(ringbridge_\w+)\(/gm)].map(([, name]) =>
        name!).sort();
    const { ffi } =
      JSON.parse(readFileSync(join(device, 'manifest_natives.json'),
        'utf8')) as { ffi: { sources: string[]; functions: object } };
    expect(defined).toEqual(described);
    expect(Object.keys(ffi.functions).sort()).toEqual(described);
    expect(ffi.sources.sort()).toEqual(sources.map(file => `./${file}`).sort());
  });
});

/** In place of the C files. */
function standIn(figures: { starts?: number; reason?: number; code?: number; subject?: number }): Natives {
  return {
    ringbridge_reset_reason: () => figures.reason ?? 1, ringbridge_heap_free: () => 0, ringbridge_heap_minimum: () => 0,
    ringbridge_heap_largest: () => 0, ringbridge_note_begin: () => figures.starts ?? 1, ringbridge_note_code: () =>
      figures.code ?? 0,
    ringbridge_note_subject: () => figures.subject ?? 0, ringbridge_note_write: () => {},
      ringbridge_image_is_on_trial: () => 0,
    ringbridge_image_accept: () => 0, ringbridge_image_give_up: () => -1, ringbridge_log_line: () => 1,
    ringbridge_wire_reset: () => 0, ringbridge_wire_write: () => {}, ringbridge_wire_read: () => 0xFF,
    ringbridge_serial_open: () => -1, ringbridge_serial_write: () => {}, ringbridge_serial_read: () => 0,
    ringbridge_pulses_open: () => -1, ringbridge_pulses_read: () => 0,
  };
}

test.each([
  [{}, 'started because the power came, 1 times since the power came'],
  [{ reason: 6, starts: 3 },
    'started because of the task watchdog: it hung for ten seconds, 3 times since the power came'],
  [{ reason: 3, starts: 2, code: 2 },
    'started because the program wanted it, 2 times since the power came; before that the program gave up: memory full'],
  [{ reason: 3, starts: 2, code: 1, subject: UPSTREAM_AT_HAND },
    'started because the program wanted it, 2 times since the power came; before that the program gave up: unhandled exception, while it handled the connection to the broker'],
  [{ reason: 4, starts: 2, code: 100, subject: SESSION_AT_HAND + 3 },
    'started because the program failed, 2 times since the power came; before that the program gave up: for another reason, while it handled session 3'],
  [{ reason: 99 }, 'started for reason 99, 1 times since the power came'],
])('the diagnosis of a start tells why it came and what was at hand: %j', (figures, words) => {
  expect(new Diagnosis(standIn(figures)).startText).toBe(words);
});

test('each reason that XS gives for an abort has a code of its own', () => {
  const reasons =
    ['debugger', 'memory full', 'JavaScript stack overflow', 'fatal', 'dead strip', 'unhandled exception',
      'not enough keys',
    'too much computation', 'unhandled rejection', 'native stack overflow'];
  expect(new Set(reasons.map(codeOfAbort)).size).toBe(reasons.length);
  expect(codeOfAbort('something new')).toBe(100);
});
