/** The program `ringbridge`. */
import { runCommand } from './command-line.ts';
import { endWith } from './process-end.ts';

await endWith(runCommand(process.argv.slice(2)));
