/**
 * Host names to addresses of both families, by the system's own rules (hosts file, DNS and whatever else it is set up
 * to ask), in the order in which the system would try them. Knows nothing of MQTT.
 *
 * A program of its own is asked. The system call that does it waits for as long as a name server is silent, and
 * nothing ends it: a thread that is in it keeps the whole process from ending, and holds a place among the few
 * threads that write files and verify passwords. A program can be ended.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { isIP } from 'node:net';
import type { Resolver } from '../io/transport.ts';

/** Milliseconds; whoever asks gives up much earlier. */
const LONGEST_QUESTION = 120_000;

/** What getent ends with when there is no such name. */
const NOT_FOUND = 2;

/** Where there is no getent, Node asks the system. */
const SCRIPT = 'require("dns").lookup(process.argv[1],{all:true,verbatim:true},(error,found)=>'
  + 'process.stdout.write(error?"":found.map(({address})=>address).join("\\n")))';

/** Addresses, none for a name that does not exist. */
type Answer = (addresses: readonly string[]) => void;

export class HostResolver implements Resolver {
  private child: ChildProcess | undefined;
  private questionCount = 0;
  /** Those of the last answer that have not been given out. */
  private others: readonly string[] = [];

  /** One question at a time: another one takes its place. @param name or address, of IPv6 in brackets */
  resolve(name: string, onResolved: (address: string) => void, onError: () => void): void {
    this.cancel();
    const host = name.replace(/^\[(.*)\]$/, '$1');
    const question = this.questionCount;
    const answer: Answer = ([first, ...others]) => {
      if (question !== this.questionCount)
        return;
      this.child = undefined;
      this.others = others;
      if (first === undefined)
        onError();
      else
        onResolved(first);
    };
    if (isIP(host) !== 0)
      queueMicrotask(() => answer([host]));
    else if (host === '' || host.startsWith('-')) // no name, but an option
      queueMicrotask(() => answer([]));
    else
      this.ask('getent', ['ahosts', host], (addresses, code) => {
        if (addresses.length > 0 || code === NOT_FOUND || question !== this.questionCount)
          answer(addresses);
        else
          this.ask(process.execPath, ['-e', SCRIPT, host], answer);
      });
  }

  next(): string | undefined {
    const [next, ...others] = this.others;
    this.others = others;
    return next;
  }

  cancel(): void {
    ++this.questionCount;
    this.others = [];
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private ask(program: string, args: readonly string[], onAnswer: (addresses: readonly string[], code: unknown) =>
    void): void {
    const options =
      { timeout: LONGEST_QUESTION, killSignal: 'SIGKILL', env: { ...process.env, NODE_OPTIONS: '' } } as const;
    this.child = execFile(program, args, options, (error, output) => {
      const firstWords = output.split('\n').map(line => line.split(/\s/)[0]!);
      onAnswer([...new Set(firstWords.filter(word => isIP(word) !== 0))], error?.code);
    });
  }
}
