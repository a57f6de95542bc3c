/**
 * Builds the XS host of host-test/xs for an emulated 32-bit RISC-V board: the instruction set of an ESP32-C3, picolibc,
 * files and output by semihosting. What is compiled stays in the cache of build-host.mjs.
 *
 *     node host-test/emulation/build-board.mjs        builds it, prints its path
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../xs/build-host.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));

const COMPILER = 'riscv64-unknown-elf-gcc';
export const EMULATOR = 'qemu-system-riscv32';
export const PACKAGES = 'gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc';

/** Memory of the board "virt" begins here; the program lies in the first part of it. */
const MEMORY = 0x8000_0000;
const PROGRAM_LENGTH = 0x40_0000;
const RAM_LENGTH = 0x700_0000;
/** Some three times what the SDK gives an ESP32: the parser, which a board does not have, takes most of it. */
const STACK_LENGTH = 0x8000;
const symbols = {
  __flash: MEMORY, __flash_size: PROGRAM_LENGTH,
  __ram: MEMORY + PROGRAM_LENGTH, __ram_size: RAM_LENGTH,
  __stack_size: STACK_LENGTH,
};

/** @type {import('../xs/build-host.mjs').Toolchain} */
const TOOLCHAIN = {
  name: 'xs-riscv32',
  compiler: COMPILER,
  packages: PACKAGES,
  machineFlags: ['-march=rv32imac', '-mabi=ilp32', '--specs=picolibc.specs', '-ffunction-sections', '-fdata-sections'],
  platformHeader: join(HERE, 'board-platform.h'),
  sources: [join(HERE, 'board.c')],
  // They need a file system and threads.
  leftOut: ['xsSnapshot.c', 'xsProfile.c'],
  linkFlags: ['--crt0=semihost', '--oslib=semihost', '-Wl,--gc-sections', '-Tpicolibc.ld',
    ...Object.entries(symbols).map(([name, value]) => `-Wl,--defsym=${name}=0x${value.toString(16)}`)],
  libraries: ['-lm'],
};

/** Whether this computer can compile for the board and emulate it. */
export function canEmulate() {
  const program = '#include <stdio.h>\nint main(void){return 0;}';
  const compilation = ['--specs=picolibc.specs', '-march=rv32imac', '-mabi=ilp32', '-x', 'c', '-', '-fsyntax-only'];
  return spawnSync(COMPILER, compilation, { input: program }).status === 0
    && spawnSync(EMULATOR, ['--version']).status === 0;
}

/** @returns {Promise<string>} path of the program for the board */
export const buildBoard = () => buildProgram(TOOLCHAIN);

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await buildBoard());
