/** The program `ringbridge`. */
import { holdSignals } from './early-signals.ts';

const args = process.argv.slice(2);
holdSignals(args[0]);
const [{ runCommand }, { endWith }] = await Promise.all([import('./command-line.ts'), import('./process-end.ts')]);
await endWith(runCommand(args));
