/**
 * `npm start`: the demo; with arguments, `ringbridge run` with them. The demo is a program of its own because its
 * broker is nothing that a gateway needs: the package that npm installs has neither.
 */
import { holdSignals } from '../host/early-signals.ts';

const args = process.argv.slice(2);
const isDemo = args.length === 0;
holdSignals(isDemo ? undefined : 'run');
const { endWith } = await import('../host/process-end.ts');
await endWith(isDemo ? import('./demo.ts').then(({ runDemo }) => runDemo())
  : import('../host/command-line.ts').then(({ runCommand }) => runCommand(['run', ...args])));
