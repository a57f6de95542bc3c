/**
 * `npm start`: the demo; with arguments, `ringbridge run` with them. The demo is a program of its own because its
 * broker is nothing that a gateway needs: the package that npm installs has neither.
 */
import { runCommand } from '../host/command-line.ts';
import { endWith } from '../host/process-end.ts';
import { runDemo } from './demo.ts';

const args = process.argv.slice(2);
await endWith(args.length === 0 ? runDemo() : runCommand(['run', ...args]));
