/** npm run flash -- BOARD [--config FILE] [NAME=VALUE …]: builds a release for a board and writes it to the board. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBoardOptions } from './board-options.mjs';
import { buildWithModdable, Failure, ROOT, runProgram, takeConfiguration } from './moddable.mjs';

const WHICH_BOARD = 'which board? npm run flash -- esp32/nodemcu wifi_ssid=NAME wifi_password=PASSWORD';

/** The target of the SDK that is the chip itself, and says so only by its name in old versions. */
const C3_TARGET = 'esp32/esp32c3';

/** @returns the name of the memory for `ringbridge check`: the SDK's manifest of a target says which chip it has */
function memoryOf(target) {
  if (target === C3_TARGET)
    return 'esp32c3';
  const file =
    join(process.env['MODDABLE'] ?? '', 'build/devices/esp32/targets', target.slice('esp32/'.length), 'manifest.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')).build?.ESP32_SUBCLASS === 'esp32c3' ? 'esp32c3' : 'esp32';
  } catch {
    return 'esp32'; // mcconfig will say that there is no such target
  }
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
  const { file, rest: [target, ...rest] } = takeConfiguration(process.argv.slice(2));
  if (target === undefined)
    throw new Failure(2, WHICH_BOARD);
  if (!/^esp32(\/[\w-]+)?$/.test(target))
    throw new Failure(2, `"${target}" is no board, that is esp32 or esp32/NAME: ${WHICH_BOARD}`);
  buildWithModdable({
    file,
    checkArgs: ['--board', memoryOf(target)],
    mcconfigArgs: ['-m', '-p', target, ...rest],
    makeEnvironment: () => environmentOf(target),
  });
});
