/**
 * npm run figures: brings everything up to date that is generated and kept in the repository. The tests of each part
 * fail when it is old. Budgets (xs/budgets.ts, size/size.mjs) are set by hand: that something becomes dearer is a
 * decision.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const vitest = ['npx', 'vitest', 'run', '--config', 'host-test/vitest.config.ts'];
const jobs = [
  // STATEMENTS.md; the state diagram in CONNECT-RULES.md, the steps in COSTS.md, what a reload
  // does in src/host/README.md; docs/sensors.
  [...vitest, 'host-test/conformance/statements.test.ts', 'host-test/figures.test.ts', 'host-test/sensor-pages.test.ts',
    '--update'],
  // SIZES.md
  ['node', 'host-test/size/size.mjs', '--write'],
  // FEATURES.md, and the figures from which `ringbridge check` estimates
  ['node', 'host-test/size/features.mjs', '--write'],
  // INSTRUCTIONS.md
  ['node', 'host-test/emulation/instructions.mjs', '--write'],
];

for (const [command, ...args] of jobs) {
  const { status } = spawnSync(command, args, {
    cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, FIGURES: 'write' },
  });
  if (status !== 0) {
    process.stderr.write(`"${[command, ...args].join(' ')}" failed: run it by itself\n`);
    process.exitCode = 1;
  }
}
