/**
 * Host names to dotted IPv4 addresses, by the system's own rules (hosts file, DNS). Knows nothing of MQTT.
 */
import { lookup } from 'node:dns';
import { isIPv4 } from 'node:net';
import type { Resolver } from '../io/transport.ts';

export class HostResolver implements Resolver {
  resolve(host: string, onResolved: (address: string) => void, onError: () => void): void {
    if (isIPv4(host))
      queueMicrotask(() => onResolved(host));
    // Node would take the empty name for a success without an address, and warn.
    else if (host === '')
      queueMicrotask(onError);
    else
      lookup(host, { family: 4 }, (error, address) => error ? onError() : onResolved(address));
  }
}
