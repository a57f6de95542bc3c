/** What `npm run doctor` says of a computer, step by step as the tool chain is installed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { describeFindings, examine } from '../../src/build/tool-chain.mjs';

const IDF = (major: number, minor: number): string =>
  `set(IDF_VERSION_MAJOR ${major})\nset(IDF_VERSION_MINOR ${minor})\n`;

interface Installed { node?: string; MODDABLE?: string; IDF_PATH?: string; files?: Record<string,
  string>; commands?: string[] }

const say = ({ node = '22.0.0', MODDABLE, IDF_PATH, files = {}, commands = [] }: Installed,
  forBoard = true): string[] => describeFindings(examine({
  nodeVersion: node, environment: { MODDABLE, IDF_PATH },
  readText: (path: string) => files[path], versionOf: (command: string) => commands.includes(command) ? '1' : undefined,
}, forBoard)).split('\n');

const SDK = { MODDABLE: '/sdk',
  files: { '/sdk/tools/VERSION': '8.2.3\n', '/idf/tools/cmake/version.cmake': IDF(6, 0) } };

describe('the doctor', () => {
  it.each<[string, Installed, string, string]>([
    ['an old Node', { node: '18.20.0' }, 'missing  Node 18.20.0', 'next step: install Node 20.19 or later'],
    ['no SDK', {}, 'missing  MODDABLE is not set',
      'next step: npm install -g xs-dev@0.30 && xs-dev setup; then open a new terminal'],
    ['a folder that is no SDK', { MODDABLE: '/tmp' }, 'missing  MODDABLE is /tmp, where no SDK is',
      'next step: xs-dev setup; then open a new terminal'],
    ['an SDK of another version', { MODDABLE: '/sdk', files: { '/sdk/tools/VERSION': '7.1.0' } },
      'missing  Moddable SDK 7.1.0',
        'next step: this version is built with SDK 8.2.x: xs-dev update, or git checkout of that version in /sdk'],
    ['an SDK without its tools in PATH', SDK, 'missing  mcconfig is not in PATH',
      'next step: put /sdk/build/bin/…/release into PATH: xs-dev setup does, then open a new terminal'],
    ['no ESP-IDF', { ...SDK, commands: ['mcconfig'] }, 'missing  IDF_PATH is not set',
      'next step: xs-dev setup --device esp32; then open a new terminal'],
    ['a folder that is no ESP-IDF', { ...SDK, IDF_PATH: '/tmp', commands: ['mcconfig'] },
      'missing  IDF_PATH is /tmp, where no ESP-IDF is',
        'next step: xs-dev setup --device esp32; then open a new terminal'],
    ['an ESP-IDF of another version',
      { MODDABLE: '/sdk', IDF_PATH: '/idf',
        files: { '/sdk/tools/VERSION': '8.2.3', '/idf/tools/cmake/version.cmake': IDF(5, 4) },
          commands: ['mcconfig'] }, 'missing  ESP-IDF 5.4',
            'next step: SDK 8.2.x is made for ESP-IDF 6.0: xs-dev setup --device esp32 with that version'],
    ['an ESP-IDF that is not activated', { ...SDK, IDF_PATH: '/idf', commands: ['mcconfig'] },
      'missing  idf.py is not in PATH', 'next step: . /idf/export.sh'],
  ])('says what to do next with %s', (_name, installed, line, next) => {
    const lines = say(installed);
    expect(lines).toContain(line);
    expect(lines.at(-1)).toBe(next);
  });

  it('is content with all of it, and for the simulator without ESP-IDF', () => {
    expect(say({ ...SDK, IDF_PATH: '/idf', commands: ['mcconfig', 'idf.py'] })).toEqual([
      'ok       Node 22.0.0', 'ok       Moddable SDK 8.2.3', 'ok       mcconfig is in PATH', 'ok       ESP-IDF 6.0',
        'ok       idf.py is in PATH', 'everything is there',
    ]);
    expect(say({ ...SDK, commands: ['mcconfig'] }, false).at(-1)).toBe('everything is there');
  });
});

test('the program ends with 1 when something is missing', () => {
  const { status, stdout } =
    spawnSync(process.execPath, [fileURLToPath(new URL('../../src/build/doctor.mjs', import.meta.url))],
      { env: { PATH: '/nowhere' }, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toContain('next step: npm install -g xs-dev@0.30');
});
