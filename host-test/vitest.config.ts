import { spawnSync } from 'node:child_process';
import { defineConfig } from 'vitest/config';
import { canEmulate, PACKAGES } from './emulation/build-board.mjs';
import { canRun32, PACKAGES_32 } from './xs/programs-32.mjs';

const has = (command: string): boolean =>
  spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${command}`]).status === 0;

const hasLibraries = (): boolean =>
  spawnSync('gcc', ['-x', 'c', '-', '-o', '/dev/null', '-lpaho-mqtt3c', '-lmosquitto'],
    { input: '#include <MQTTClient.h>\n#include <mosquitto.h>\nint main(void){return 0;}' }).status === 0
  && spawnSync('/usr/bin/python3', ['-c', 'import paho.mqtt.client']).status === 0;

/**
 * Tests that need more than Node and a C compiler. Where it decides whether work lands (CI=true, see .ci/run) none is
 * left out: there a missing package makes them fail.
 */
const demands = [
  { tests: 'host-test/interop/**', isMet: () => has('mosquitto') && has('mosquitto_pub'),
    packages: 'mosquitto mosquitto-clients' },
  { tests: 'host-test/interop/paho.test.ts', isMet: () => has('paho_c_pub'), packages: 'paho.mqtt.c-examples' },
  { tests: 'host-test/interop/libraries.test.ts', isMet: hasLibraries,
    packages: 'gcc libc6-dev python3-paho-mqtt libpaho-mqtt-dev libmosquitto-dev' },
  { tests: 'host-test/host/service.test.ts', isMet: () => has('systemd-notify') && has('systemd-analyze') && has('python3'),
    packages: 'systemd python3' },
  { tests: 'host-test/page/**', isMet: () => has('chromium'), packages: 'chromium fonts-dejavu-core' },
  { tests: 'host-test/size/**', isMet: canRun32, packages: PACKAGES_32 },
  { tests: 'host-test/emulation/**', isMet: canEmulate, packages: PACKAGES },
  { tests: 'host-test/bench/**', isMet: canRun32, packages: PACKAGES_32 },
];

const leftOut = process.env['CI'] === 'true' ? [] : demands.filter(({ isMet }) => !isMet());
for (const { packages, tests } of leftOut)
  process.stderr.write(`left out: ${tests}; to run it: apt-get install ${packages}\n`);

export default defineConfig({
  test: {
    root: '.',
    include: ['host-test/**/*.test.ts'],
    exclude: leftOut.map(({ tests }) => tests),
    globalSetup: ['host-test/build.ts'],
    // Two cores; some tests run brokers and gateways as processes of their own.
    maxWorkers: 2,
    testTimeout: 20_000,
    // Vitest's own second is not enough on a busy machine.
    expect: { poll: { timeout: 15_000 } },
  },
});
