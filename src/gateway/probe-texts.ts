/** What is known by the probe (upstream.probe), in words: for the log, the status and the advice. */
import { ASKING, IDLE, type Probe, REFUSED, SET_ASIDE, WATCHING } from '../upstream/probe.ts';
import type { Gateway } from './gateway.ts';

export const isProbeWell = ({ isStopped, state }: Probe): boolean => !isStopped && state <= WATCHING;

export function describeProbe({ isStopped, state }: Probe): string {
  switch (state) {
    case IDLE: return 'waits for the connection';
    case ASKING: return 'asks for its topic';
    case REFUSED: return 'is not sent: the broker has refused the subscription';
    case SET_ASIDE: return 'is not sent: the broker closes the connection for it';
    default: return isStopped ? 'is sent, and does not come back' : 'is sent';
  }
}

export function adviceAboutProbe({ configuration: { upstream } }: Gateway, probe: Probe): string {
  const topic = `"${upstream.probe?.topic ?? ''}" (upstream.probe)`;
  const rights = 'check that upstream.remote_username may publish and read it';
  switch (probe.state) {
    case REFUSED: return `the broker has refused the subscription to ${topic}, so nobody tells whether messages flow: ${rights}`;
    case SET_ASIDE:
      return `the broker closes the connection for the message to ${topic}, so it is not sent any more: ${rights}, then restart`;
    default:
      return probe.isStopped ? `connected, but nothing flows: ${probe.lostCount} messages in a row to ${topic} did not come `
        + `back; look at the log of the broker, and ${rights}` : `messages to ${topic} come back again`;
  }
}
