/** `ringbridge status FILE`: once as JSON, or again and again, as a view where there is a terminal. */
import type { Status } from '../gateway/status.ts';
import { complain } from './exit-codes.ts';
import { paintAll } from './frame.ts';
import { messageOf, printable } from './log.ts';
import { INTERRUPT, Screen } from './screen.ts';
import { askForStatus } from './status-client.ts';
import { renderStatus } from './status-view.ts';

/** Milliseconds from one question to the next, where somebody looks, and where lines are read. */
const VIEW_INTERVAL = 1000;
const LINE_INTERVAL = 5000;

/** One line; names that nodes gave themselves cannot reach the terminal as a control sequence. */
export const statusLine = (status: Status): string => printable(JSON.stringify(status));

/** @throws NoStatus */
export async function printStatus(file: string, pid: number | undefined, print: (line: string) => void): Promise<void> {
  print(statusLine(await askForStatus(file, pid)));
}

/** Until a key, or the reader of the lines, ends it. @throws NoStatus when there is none at the beginning */
export async function watchStatus(file: string, pid: number | undefined, print: (line: string) => void): Promise<void> {
  const first = await askForStatus(file, pid);
  if (!Screen.isPossible(process.stdout)) {
    print(statusLine(first));
    let told = '';
    await repeat(LINE_INTERVAL, process.stdout, async () => {
      try {
        print(statusLine(await askForStatus(file, pid)));
        told = '';
      } catch (error) { // it may come back: a restart ends nobody's pipe
        if (told !== messageOf(error))
          complain(printable(told = messageOf(error)));
      }
    });
    return;
  }
  let shown: Status = first;
  let problem = '';
  await new Promise<void>(resolve => {
    const screen = new Screen(process.stdin, process.stdout,
      size => problem === '' ? renderStatus(shown, size) : paintAll([[[problem, 'bad']], [], [['  q: quit', 'bold']]], size),
      key => {
        if (key === 'q' || key === INTERRUPT)
          close();
      });
    const asking = setInterval(() => void askForStatus(file, pid).then(status => {
      shown = status;
      problem = '';
    }, error => problem = messageOf(error)), VIEW_INTERVAL);
    const close = (): void => {
      clearInterval(asking);
      screen.close();
      ['SIGINT', 'SIGTERM'].forEach(name => process.off(name, close));
      resolve();
    };
    ['SIGINT', 'SIGTERM'].forEach(name => process.on(name, close));
    screen.open();
  });
}

/** Until `output` is gone. */
async function repeat(interval: number, output: NodeJS.WriteStream, act: () => Promise<void>): Promise<void> {
  let isOver = false;
  output.once('close', () => isOver = true).once('error', () => isOver = true);
  while (!isOver) {
    await new Promise(resolve => setTimeout(resolve, interval));
    if (!isOver)
      await act();
  }
}
