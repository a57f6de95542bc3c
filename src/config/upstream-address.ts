/** What `upstream.address` says. */

/** What is spoken below MQTT. */
type Scheme = 'mqtt' | 'mqtts';

export interface UpstreamAddress {
  readonly scheme: Scheme;
  /** A name or an address; one of IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
}

/** Registered by IANA as mqtt and secure-mqtt. */
const DEFAULT_PORTS: Readonly<Record<Scheme, number>> = Object.freeze({ mqtt: 1883, mqtts: 8883 });

export function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether what is said there is said through TLS. */
export const isSecure = (address: string): boolean => address.startsWith('mqtts:');

/**
 * An upstream address. One of IPv6 stands in brackets, as in every URL, and `host` keeps them.
 * @throws Error when it is not `mqtt://host[:port]` or `mqtts://host[:port]`
 */
export function parseAddress(address: string): UpstreamAddress {
  const match =
    /^(mqtts?):\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?\])(?::([0-9]{1,5}))?\/?$/.exec(address);
  const scheme = (match?.[1] ?? 'mqtt') as Scheme;
  const port = Number(match?.[3] ?? DEFAULT_PORTS[scheme]);
  if (!match || port < 1 || port > 65535)
    throw new Error(`"${address}" is not an upstream address: write mqtt://host or mqtt://host:port`);
  return { scheme, host: match[2]!, port };
}

/** @returns the address as a user writes it, with its port */
export const urlOf = ({ host, port, scheme }: UpstreamAddress): string => `${scheme}://${host}:${port}`;
