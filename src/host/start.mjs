/**
 * `npm start`: in the repository it builds, and shows the demo, or runs a gateway with the arguments. The package has
 * neither a demo nor what builds: there it runs a gateway with the arguments, and without any says what to do.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const isRepository = existsSync(new URL('../../rollup.config.mjs', import.meta.url));
const args = process.argv.slice(2);

if (isRepository) {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0)
    process.exit(status ?? 1);
  await import('../../dist/demo/main.js');
} else if (args.length === 0) {
  console.error('The demo is in the repository, not in the package. Here: "npm start -- --config FILE" runs a gateway, and '
    + '"npx ringbridge init FILE" makes a file for it.');
  process.exitCode = 2;
} else {
  process.argv.splice(2, 0, 'run');
  await import('../../dist/host/main.js');
}
