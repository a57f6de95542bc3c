/** Asks the gateway that runs with a configuration file for its status. */
import { connect } from 'node:net';
import type { Status } from '../gateway/status.ts';
import { loadConfiguration } from './config.ts';
import { findSockets, type StatusSocket } from './status-place.ts';

/** Milliseconds in which it must answer. */
const PATIENCE = 5000;
/** Bytes; a status of all nodes and rules that there may be has far less. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

type Answer = { readonly pid: number } & ({ readonly status: Status } | { readonly problem: string });

/** There is none, or not one: the message says what to do. */
class NoStatus extends Error {}

/** @param pid of the one that is meant, where several run with the file @throws NoStatus */
export async function askForStatus(file: string, pid?: number): Promise<Status> {
  const { configuration, errors } = loadConfiguration(file);
  const sockets = findSockets(file, configuration?.store);
  const answers = (await Promise.all(sockets.map(ask))).filter(answer => answer !== undefined)
    .filter(answer => pid === undefined || answer.pid === pid);
  const [first, ...others] = answers;
  if (first === undefined)
    throw new NoStatus(errors.length > 0 && configuration === undefined
      ? `no gateway is found for ${file}, whose errors keep its store.path unknown: ${errors[0]!}`
      : `no gateway${pid === undefined ? '' : ` with process ${pid}`} runs with ${file} on this computer; `
        + `start it with "ringbridge run --config ${file}", or name the file that it was started with`);
  if (others.length > 0)
    throw new NoStatus(`${answers.length} gateways run with ${file}: write ${answers.map(answer =>
      `--pid ${answer.pid}`).join(' or ')} as well`);
  if ('problem' in first)
    throw new NoStatus(`the gateway with process ${first.pid} ${first.problem}`);
  return first.status;
}

/** @returns undefined when the process is gone */
function ask({ path, pid }: StatusSocket): Promise<Answer | undefined> {
  return new Promise(resolve => {
    let text = '';
    const socket = connect(path).setEncoding('utf8').setTimeout(PATIENCE);
    const end = (answer: Answer | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      const isDenied = code === 'EACCES' || code === 'EPERM';
      end(code === 'ECONNREFUSED' || code === 'ENOENT' ? undefined
        : { pid, problem: isDenied ? 'is another user\'s: ask as that user, or as root (sudo)' : `cannot be asked: ${message}` });
    });
    socket.on('timeout', () => end({ pid, problem: 'does not answer: it is stopped, or very busy; look into its log' }));
    socket.on('data', chunk => {
      text += chunk as unknown as string;
      if (text.length > LONGEST_ANSWER)
        end({ pid, problem: 'gives no status: what listens there is something else' });
    });
    socket.on('end', () => {
      try {
        end({ pid, status: JSON.parse(text) as Status });
      } catch {
        end({ pid, problem: 'gives no status: what listens there is something else, or it is just ending' });
      }
    });
  });
}
