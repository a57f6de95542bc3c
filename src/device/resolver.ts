/**
 * Host names to dotted addresses. Ordinary names are asked of the system's resolver, which knows the name servers that
 * the network has told it; names that end in ".local" are asked of the local network itself (mDNS), which that resolver
 * cannot do everywhere. Knows nothing of MQTT.
 */
import MulticastResolver from 'embedded:network/dns/resolver/udp';
import UDP from 'embedded:io/socket/udp';
import Timer from 'timer';
import { hasBrokerHere } from 'board';
import { describeLoopback, isLoopback } from './core.ts';
import { log } from './log.ts';
import type { Resolver } from '../io/transport.ts';

const DOTTED = /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/;

export class DeviceResolver implements Resolver {
  private multicast: MulticastResolver | undefined;
  private readonly onException: (error: unknown) => void;

  constructor(onException: (error: unknown) => void) {
    this.onException = onException;
  }

  resolve(host: string, onResolved: (address: string) => void, onError: () => void): void {
    const answer = (address: string | undefined): void => {
      try {
        if (address === undefined)
          onError();
        else
          onResolved(address);
      } catch (error) {
        this.onException(error);
      }
    };
    if (!hasBrokerHere && isLoopback(host)) {
      log(`upstream.address: ${describeLoopback(`mqtt://${host}`)}`);
      Timer.set(() => answer(undefined));
      return;
    }
    const known = host === 'localhost' ? '127.0.0.1' : DOTTED.test(host) ? host : undefined;
    try {
      if (known !== undefined)
        Timer.set(() => answer(known));
      else if (host.endsWith('.local'))
        this.askEverybody(host, answer);
      else
        System.resolve(host, (_host, address) => answer(address));
    } catch { // no socket, no memory, no network
      Timer.set(() => answer(undefined));
    }
  }

  private askEverybody(host: string, answer: (address: string | undefined) => void): void {
    this.multicast ??= new MulticastResolver({ servers: [], socket: { io: UDP } });
    this.multicast.resolve({ host, onResolved: (_host, address) => answer(address), onError: () => answer(undefined) });
  }
}
