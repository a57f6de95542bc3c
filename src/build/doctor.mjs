/**
 * npm run doctor [-- --simulator]: whether this computer can build for a board, or for the simulator, and the next
 * step.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describeFindings, examine } from './tool-chain.mjs';

const findings = examine({
  nodeVersion: process.versions.node,
  environment: process.env,
  readText(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  versionOf(command) {
    const { error, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: 10_000 });
    return error === undefined ? (stdout ?? '').split('\n')[0] : undefined;
  },
}, !process.argv.includes('--simulator'));

process.stdout.write(`${describeFindings(findings)}\n`);
process.exitCode = findings.every(({ isRight }) => isRight) ? 0 : 1;
