/** Whether the broker is this gateway itself: each message would go round for ever. */
import { networkInterfaces } from 'node:os';
import { equalBytes } from '../bytes/compare.ts';
import type { Configuration } from '../config/configuration.ts';
import { isAddress, parseAddress } from '../config/upstream-address.ts';
import type { Packet } from '../packet/packet.ts';
import type { Runtime } from '../io/runtime.ts';
import { OPEN } from '../upstream/upstream-phase.ts';

const ANY: readonly string[] = ['0.0.0.0', '::'];

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

const isOfThisComputer = (host: string): boolean => isLoopback(host)
  || Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === host));

/** @returns positions in upstream.address of those that lead to the listener of the same configuration */
export function ownAddresses({ listener, upstream }: Configuration): readonly number[] {
  return upstream.address.flatMap((text, index) => {
    if (!isAddress(text))
      return [];
    const { host: written, port } = parseAddress(text);
    const host = written.replace(/^\[(.*)\]$/, '$1');
    const isReached = ANY.includes(listener.address) ? isOfThisComputer(host)
      : host === listener.address || host === 'localhost' && isLoopback(listener.address);
    return isReached && port === listener.port ? [index] : [];
  });
}

/** Whether a CONNECT that came from an address is the one for whose answer the gateway waits. */
export function isOurOwn({ gateway, upstream }: Pick<Runtime, 'gateway' | 'upstream'>, packet: Packet, address: string | undefined): boolean {
  const { arena, upstream: { connect, isConnected } } = gateway;
  return upstream.phase === OPEN && !isConnected && packet.clientIdentifierLength === connect.clientIdentifierLength
    && equalBytes(arena, packet.clientIdentifierOffset, connect.clientIdentifierOffset, connect.clientIdentifierLength)
    && address !== undefined && isOfThisComputer(address.replace(/^::ffff:/i, ''));
}
