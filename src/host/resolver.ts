/**
 * Host names to dotted IPv4 addresses, by the system's own rules (hosts file, DNS and whatever else it is set up to
 * ask). Knows nothing of MQTT.
 *
 * A program of its own is asked. The system call that does it waits for as long as a name server is silent, and
 * nothing ends it: a thread that is in it keeps the whole process from ending, and holds a place among the few
 * threads that write files and verify passwords. A program can be ended.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { isIPv4 } from 'node:net';
import type { Resolver } from '../io/transport.ts';

/** Milliseconds; whoever asks gives up much earlier. */
const LONGEST_QUESTION = 120_000;

/** What getent ends with when there is no such name. */
const NOT_FOUND = 2;

/** Where there is no getent, Node asks the system. */
const SCRIPT =
  'require("dns").lookup(process.argv[1],{family:4},(error,address)=>process.stdout.write(error?"":address))';

type Answer = (address: string | undefined) => void;

export class HostResolver implements Resolver {
  private child: ChildProcess | undefined;
  private questionCount = 0;

  /** One question at a time: another one takes its place. */
  resolve(host: string, onResolved: (address: string) => void, onError: () => void): void {
    this.cancel();
    const question = this.questionCount;
    const answer: Answer = address => {
      if (question !== this.questionCount)
        return;
      this.child = undefined;
      if (address === undefined)
        onError();
      else
        onResolved(address);
    };
    if (isIPv4(host))
      queueMicrotask(() => answer(host));
    else if (host === '' || host.startsWith('-')) // no name, but an option
      queueMicrotask(() => answer(undefined));
    else
      this.ask('getent', ['ahostsv4', host], (address, code) => {
        if (address !== undefined || code === NOT_FOUND || question !== this.questionCount)
          answer(address);
        else
          this.ask(process.execPath, ['-e', SCRIPT, host], answer);
      });
  }

  cancel(): void {
    ++this.questionCount;
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private ask(program: string, args: readonly string[], onAnswer: (address: string | undefined, code: unknown) =>
    void): void {
    const options =
      { timeout: LONGEST_QUESTION, killSignal: 'SIGKILL', env: { ...process.env, NODE_OPTIONS: '' } } as const;
    this.child = execFile(program, args, options, (error, output) => {
      const [first = ''] = output.split(/\s/);
      onAnswer(isIPv4(first) ? first : undefined, error?.code);
    });
  }
}
