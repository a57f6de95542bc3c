/**
 * Makes the board reachable as `<name>.local` (mDNS), so that nodes need no address of it. What goes wrong here costs
 * one line and nothing else. Knows nothing of MQTT.
 */
import DNSSD from 'embedded:network/dnssd';
import UDP from 'embedded:io/socket/udp';
import { describeError, log } from './log.ts';

/** Longest label of a host name, [RFC 1035, 2.3.4]. */
const LONGEST_LABEL = 63;

/** Call it when there is an address. */
export function claimLocalName(name: string): void {
  const host = hostNameOf(name);
  try {
    new DNSSD({ socket: { io: UDP } }).claim({
      host,
      onReady: () => log(`also known as ${host}.local`),
      onError: () => log(`${host}.local belongs to somebody else: change "name", or let nodes use the address`),
    });
  } catch (error) {
    log(`not known as ${host}.local, let nodes use the address: ${describeError(error)}`);
  }
}

/** `name` with a hyphen for each run of what a host name must not contain. */
function hostNameOf(name: string): string {
  const host = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, LONGEST_LABEL).replace(/^-+|-+$/g, '');
  return host === '' ? 'ringbridge' : host;
}
