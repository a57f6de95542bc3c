/**
 * Tells systemd how the gateway is (sd_notify): that it is ready, reloads, stops, and every so often that its loop
 * turns. Node has no datagram sockets of the file system, so systemd's own command says it. Without systemd, nothing.
 */
import { execFile } from 'node:child_process';
import type { Log } from './log.ts';

const COMMAND = 'systemd-notify';

/** Milliseconds; a manager that does not answer keeps no process for ever. */
const COMMAND_LIMIT = 10_000;

/** Of the time after which systemd restarts the gateway, as systemd advises. */
const WATCHDOG_SHARE = 0.5;

export class ServiceManager {
  private readonly log: Log;
  private readonly isThere: boolean;
  private watchdog: NodeJS.Timeout | undefined = undefined;
  /** What is told goes out in order. */
  private last: Promise<unknown> = Promise.resolve();

  /** @param environment NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, as systemd sets them */
  constructor(log: Log, environment = process.env) {
    this.log = log;
    this.isThere = (environment['NOTIFY_SOCKET'] ?? '') !== '';
    const { WATCHDOG_PID, WATCHDOG_USEC } = environment;
    const interval = Number(WATCHDOG_USEC) / 1000 * WATCHDOG_SHARE;
    if (this.isThere && interval >= 1 && (WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid))
      this.watchdog = setInterval(() => this.tell('WATCHDOG=1'), interval).unref();
  }

  /** @param text what `systemctl status` shows */
  ready(text: string): void {
    this.tell('READY=1', `STATUS=${text}`);
  }

  stopping(): void {
    this.tell('STOPPING=1', 'STATUS=stopping');
  }

  /** Settles when all that was told is out. */
  close(): Promise<unknown> {
    clearInterval(this.watchdog);
    return this.last;
  }

  private tell(...assignments: readonly string[]): void {
    if (this.isThere)
      this.last = this.last.then(() => this.run(assignments));
  }

  private run(assignments: readonly string[]): Promise<void> {
    return new Promise(resolve => {
      execFile(COMMAND, [`--pid=${process.pid}`, ...assignments], { timeout: COMMAND_LIMIT }, error => {
        if (error !== null)
          this.log.write('warning', `${COMMAND} cannot tell systemd "${assignments[0]}": ${error.message.split('\n')[0]}; `
            + 'NotifyAccess=all is needed in the unit', COMMAND);
        resolve();
      });
    });
  }
}
