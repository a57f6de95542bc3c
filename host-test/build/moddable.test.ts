/** `npm run sim` and `npm run flash` as people run them, with an mcconfig that writes down what it is told. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Only `npm run build` is meant: the test's global set-up has built already. */
const FAKE_NPM = '#!/bin/sh\nexit 0\n';
const FAKE_MCCONFIG = `#!/usr/bin/env node
require('fs').writeFileSync(process.env.SEEN, JSON.stringify(process.argv.slice(2)));
process.exit(Number(process.env.MCCONFIG_EXIT ?? 0));
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringbridge-moddable-'));
  const executables = { npm: FAKE_NPM, mcconfig: FAKE_MCCONFIG };
  for (const [name, text] of Object.entries(executables)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
  /** What mcconfig was called with; undefined: it was not. */
  readonly mcconfig: readonly string[] | undefined;
}

function run(program: 'sim' | 'flash', args: readonly string[], environment: Record<string,
  string | undefined> = {}): Outcome {
  const seen = join(folder, 'seen');
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, `src/build/${program}.mjs`), ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: `${folder}${delimiter}${process.env['PATH']}`, MODDABLE: folder, SEEN: seen, ...environment },
  });
  return {
    code: status,
    stderr,
    mcconfig: existsSync(seen) ? JSON.parse(readFileSync(seen, 'utf8')) as string[] : undefined,
  };
}

/** A configuration whose name means something to every shell. */
const CONFIGURATION = JSON.stringify({ name: 'it\'s "$HOME" `x`; a', upstream: { address: ['mqtt://a'] } });
/** As it is given to mcconfig, which looks for "=". */
const WITH_EQUALS = JSON.stringify({ listener: { users: [{ username: 'a=b', password: 'c==' }] } });

function configure(text = CONFIGURATION): string {
  const file = join(folder, 'my config.json');
  writeFileSync(file, text);
  return file;
}

/** A target of the SDK. */
function addTarget(name: string, chip: string): void {
  const target = join(folder, 'build/devices/esp32/targets', name);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'manifest.json'), JSON.stringify({ build: { ESP32_SUBCLASS: chip } }));
}

/** Fits an ESP32, not an ESP32-C3. */
const LARGE = JSON.stringify({ upstream: { address: ['mqtt://a'] }, store: { ram: 20_000 } });

const SMALL = JSON.stringify({
  upstream: { address: ['mqtt://a'], max_packet_size: 512 }, store: { ram: 2048 },
  listener: { max_connections: 2, max_packet_size: 512, max_queued_bytes: 1024 },
});

describe('npm run sim', () => {
  it('starts the simulator with the debugger and what else it is told', () => {
    expect(run('sim', ['files=/tmp'])).toMatchObject({ code: 0, mcconfig: ['-d', '-m', 'files=/tmp'] });
  });

  it('gives mcconfig the configuration as it stands in the file, wherever --config stands', () => {
    const file = configure();
    for (const args of [['--config', file, 'a=b'], ['a=b', '--config', file]])
      expect(run('sim', args)).toMatchObject({ code: 0, mcconfig: ['-d', '-m', 'a=b', `ringbridge=${CONFIGURATION}`] });
  });

  it('spells "=" so that mcconfig does not take the configuration apart by it', () => {
    const { code, mcconfig } = run('sim', ['--config', configure(WITH_EQUALS)]);
    expect(code).toBe(0);
    expect(mcconfig!.at(-1)!.split('=')).toHaveLength(2);
    expect(JSON.parse(mcconfig!.at(-1)!.slice('ringbridge='.length))).toEqual(JSON.parse(WITH_EQUALS));
  });

  it('builds nothing of a configuration that is refused', () => {
    expect(run('sim', ['--config', configure('{ "nmae": 1 }')])).toMatchObject({ code: 2, mcconfig: undefined });
  });

  it('says what to do when MODDABLE is not set', () => {
    const { code, mcconfig, stderr } = run('sim', [], { MODDABLE: undefined });
    expect([code, mcconfig]).toEqual([1, undefined]);
    expect(stderr).toMatch(/^MODDABLE is not set: install the Moddable SDK .* set MODDABLE to its folder\n$/);
  });

  it('says where mcconfig is when it is not found', () => {
    rmSync(join(folder, 'mcconfig'));
    const { code, stderr } = run('sim', []);
    expect(code).toBe(1);
    expect(stderr).toContain('mcconfig is not in PATH');
  });

  it('asks which file when --config is the last word', () => {
    expect(run('sim', ['--config'])).toMatchObject({
      code: 2, mcconfig: undefined, stderr: '--config: which file? For example --config my.json\n',
    });
  });

  it('ends with the exit code of mcconfig', () => {
    expect(run('sim', [], { MCCONFIG_EXIT: '7' }).code).toBe(7);
  });
});

describe('npm run flash', () => {
  it('builds a release for the board', () => {
    expect(run('flash', ['esp32/nodemcu', 'wifi_ssid=a b', 'wifi_password=$x'])).toMatchObject({
      code: 0, mcconfig: ['-m', '-p', 'esp32/nodemcu', 'wifi_ssid=a b', 'wifi_password=$x'],
    });
  });

  it.each([['no board', []], ['what is no board', ['wifi_ssid=x']], ['another platform', ['esp/nodemcu']]])(
    'asks which board when it is told %s', (_name, args) => {
      const { code, mcconfig, stderr } = run('flash', args);
      expect([code, mcconfig]).toEqual([2, undefined]);
      expect(stderr).toContain('which board? npm run flash -- esp32/nodemcu');
    });

  it('gives mcconfig the board and the configuration', () => {
    expect(run('flash', ['esp32/nodemcu', '--config', configure(), 'wifi_ssid=x'])).toMatchObject({
      code: 0, mcconfig: ['-m', '-p', 'esp32/nodemcu', 'wifi_ssid=x', `ringbridge=${CONFIGURATION}`],
    });
  });

  it('takes the Wi-Fi from a file, so that no shell remembers its password, and builds for the debugger when told', () => {
    const secrets = join(folder, 'wifi.json');
    writeFileSync(secrets, '{"wifi_ssid":"my net","wifi_password":"it\'s $secret"}');
    expect(run('flash', ['esp32', '--debug', '--secrets', secrets, 'sntp=x']).mcconfig).toEqual([
      '-d', '-m', '-p', 'esp32', 'wifi_ssid=my net', 'wifi_password=it\'s $secret', 'sntp=x',
    ]);
  });

  it.each([
    ['{"wifi_password":"a=b"}', 'wifi_password: must be a text without "="'],
    ['{"wifi_password":7}', 'wifi_password: must be a text'],
    ['wifi_ssid=x', 'it is no JSON; write { "wifi_ssid": "NAME"'],
  ])('refuses a file of secrets that says %s', (text, words) => {
    const secrets = join(folder, 'wifi.json');
    writeFileSync(secrets, text);
    const { code, mcconfig, stderr } = run('flash', ['esp32', '--secrets', secrets]);
    expect([code, mcconfig]).toEqual([2, undefined]);
    expect(stderr).toContain(words);
  });

  it('does not wait for a pipe that is to be a file of secrets', () => {
    const pipe = join(folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    const { code, stderr } = run('flash', ['esp32', '--secrets', pipe]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('pipe: cannot be used: it is no regular file; write {')]);
  });

  it.each([
    ['esp32/esp32c3', 'esp32c3', []], ['esp32/tiny', 'esp32c3', ['board=esp32c3', 'board_memory=114688']],
    ['esp32/new', 'esp32s3', ['board=esp32s3']], ['esp32/newer', 'esp32p4', []],
  ])('tells %s, by its chip %s, how much memory it has, by which it judges what is stored', (target, chip, memory) => {
    addTarget(target.slice('esp32/'.length), chip);
    expect(run('flash', [target, '--config', configure(SMALL)]).mcconfig?.slice(3)).toEqual([
      ...memory, `ringbridge=${SMALL}`,
    ]);
  });

  it.each([
    ['esp32/nodemcu', 'esp32', 0], ['esp32', undefined, 0], ['esp32/esp32c3', 'esp32c3', 2],
      ['esp32/tiny', 'esp32c3', 2],
    ['esp32/abc3', 'esp32', 0],
  ])('checks what fits %s by its chip %s: exit code %i', (target, chip, code) => {
    if (chip !== undefined)
      addTarget(target.slice('esp32/'.length), chip);
    const outcome = run('flash', [target, '--config', configure(LARGE)]);
    expect(outcome.code).toBe(code);
    expect(outcome.mcconfig === undefined).toBe(code !== 0);
  });
});
