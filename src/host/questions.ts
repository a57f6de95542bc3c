/**
 * Asks whoever uses the program. At a terminal what is typed is shown, or not; from a pipe lines are read. What is not
 * UTF-8 becomes U+FFFD, so that it can be refused.
 */
import { isUtf8 } from 'node:buffer';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** As a shell says of a program that Ctrl-C has ended. */
export const INTERRUPTED = 130;

/** The terminal's user pressed Ctrl-C or Ctrl-D. */
export class Interrupted extends Error {}

/** Questions go to stderr: stdout may be a file. */
export function askTerminal(question: string, isShown: boolean): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal =
    createInterface({ input: process.stdin, output: isShown ? process.stderr : nowhere, terminal: true });
  // Not before: until then the terminal shows what is typed by itself, and an answer may be quick.
  process.stderr.write(question);
  return new Promise((resolve, reject) => {
    let answer: string | undefined;
    terminal.on('line', line => {
      answer = line;
      terminal.close();
    });
    terminal.on('SIGINT', () => terminal.close());
    terminal.on('close', () => {
      if (!isShown)
        process.stderr.write('\n');
      if (answer === undefined)
        reject(new Interrupted());
      else
        resolve(answer);
    });
  });
}

/**
 * Each byte is one character until the end of its line is known, so that nothing is decoded on the way.
 * @param atEnd gives an answer when there is no line any more, or throws
 */
export function readLines(atEnd: () => string = () => ''): (question: string, isShown: boolean) => Promise<string> {
  const lines = createInterface({ input: process.stdin.setEncoding('latin1') })[Symbol.asyncIterator]();
  return async () => {
    const next = await lines.next();
    if (next.done === true)
      return atEnd();
    const line = Buffer.from(next.value, 'latin1');
    return isUtf8(line) ? line.toString('utf8') : '\uFFFD';
  };
}
