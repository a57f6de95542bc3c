/**
 * `ringbridge run` without a file: a gateway on this computer only, with a simulated sensor.
 */
import { completeConfiguration } from '../gateway/configuration.ts';
import { Log } from './log.ts';
import { runUntilSignal } from './run.ts';

export function runDemo(): Promise<number> {
  const configuration = completeConfiguration({
    listener: { address: '127.0.0.1', port: 0, allow_anonymous: true },
    topic: [{ remote_prefix: 'ringbridge/' }],
    sensors: [{ name: 'air', type: 'simulated', topic: 'air/temperature', interval: 1 }],
  });
  return runUntilSignal(configuration, new Log(line => process.stderr.write(`${line}\n`)), line => process.stdout.write(`${line}\n`));
}
