/**
 * npm run flash -- BOARD [--config FILE] [--secrets FILE] [--debug] [NAME=VALUE …]: builds a release for a board, or a
 * program for the debugger, and writes it to the board.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBoardOptions } from './board-options.mjs';
import { buildWithModdable, Failure, readSecrets, ROOT, runProgram, takeConfiguration } from './moddable.mjs';

const WHICH_BOARD = 'which board? npm run flash -- esp32/nodemcu --config my.json --secrets wifi.json';

/** Chips for which `ringbridge check` knows the memory; the others have at least that of an ESP32. */
const CHIPS = ['esp32', 'esp32c3', 'esp32c6', 'esp32s2', 'esp32s3'];

/** What says so by its name only in old versions of the SDK. */
const C3_TARGET = 'esp32/esp32c3';

/** @returns the chip of a target: the SDK's manifest of the target says which one it has */
function chipOf(target) {
  if (target === C3_TARGET)
    return 'esp32c3';
  const file =
    join(process.env['MODDABLE'] ?? '', 'build/devices/esp32/targets', target.slice('esp32/'.length), 'manifest.json');
  try {
    const chip = JSON.parse(readFileSync(file, 'utf8')).build?.ESP32_SUBCLASS;
    return CHIPS.includes(chip) ? chip : 'esp32';
  } catch {
    return 'esp32'; // mcconfig will say that there is no such target
  }
}

/**
 * What our manifest says for the target `esp32/esp32c3` holds for every board with that chip: the board judges a
 * configuration by it.
 */
function memoryOf(target, chip) {
  if (chip !== 'esp32c3' || target === C3_TARGET)
    return chip === 'esp32' || target === C3_TARGET ? [] : [`board=${chip}`];
  const { platforms } = JSON.parse(readFileSync(join(ROOT, 'manifest.json'), 'utf8'));
  return Object.entries(platforms[C3_TARGET].config).map(([name, value]) => `${name}=${value}`);
}

/** Options of ESP-IDF and a partition table: those of the target, and ours. */
function environmentOf(target) {
  try {
    return makeBoardOptions({
      moddable: process.env['MODDABLE'], target, device: join(ROOT, 'src/device'),
        output: join(ROOT, 'build/board', target),
    });
  } catch (error) {
    throw new Failure(2, error.message);
  }
}

runProgram(() => {
  const secrets = takeConfiguration(process.argv.slice(2), '--secrets', 'wifi.json');
  const { file, rest: args } = takeConfiguration(secrets.rest);
  const [target, ...rest] = args.filter(argument => argument !== '--debug');
  if (target === undefined)
    throw new Failure(2, WHICH_BOARD);
  if (!/^esp32(\/[\w-]+)?$/.test(target))
    throw new Failure(2, `"${target}" is no board, that is esp32 or esp32/NAME: ${WHICH_BOARD}`);
  const chip = chipOf(target);
  buildWithModdable({
    file,
    checkArgs: ['--board', chip],
    mcconfigArgs: [...args.includes('--debug') ? ['-d'] : [], '-m', '-p', target, ...memoryOf(target, chip),
      ...readSecrets(secrets.file), ...rest],
    makeEnvironment: () => environmentOf(target),
  });
});
