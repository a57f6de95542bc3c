/** What `upstream.address` says. */

/** What is spoken below MQTT. */
export type Scheme = 'mqtt' | 'mqtts' | 'ws' | 'wss';

export interface UpstreamAddress {
  readonly scheme: Scheme;
  /** A name or an address; one of IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
  /** Of WebSocket: with its slash, and with what follows a question mark. */
  readonly path?: string;
}

/** Registered by IANA: mqtt and secure-mqtt, http and https. */
const DEFAULT_PORTS: Readonly<Record<Scheme, number>> = Object.freeze({ mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 });
/** Where most brokers have their WebSocket; others take any path. */
const DEFAULT_PATH = '/mqtt';

export function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether what is said there is said through TLS. */
export const isSecure = (address: string): boolean => /^(?:mqtts|wss):/.test(address);

/** Whether MQTT goes within WebSocket there. */
export const isWebSocket = (address: string): boolean => /^wss?:/.test(address);

/**
 * An upstream address. One of IPv6 stands in brackets, as in every URL, and `host` keeps them.
 * @throws Error when it is not `mqtt://host[:port]`, `mqtts://host[:port]`, `ws://host[:port][/path]` or `wss://…`
 */
export function parseAddress(address: string): UpstreamAddress {
  const match =
    /^(mqtts?|wss?):\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?\])(?::([0-9]{1,5}))?(\/[!$%&'()*+,./:;=?@_~A-Za-z0-9-]*)?$/
      .exec(address);
  const scheme = (match?.[1] ?? 'mqtt') as Scheme;
  const port = Number(match?.[3] ?? DEFAULT_PORTS[scheme]);
  const path = match?.[4];
  const isWithin = scheme === 'ws' || scheme === 'wss';
  if (!match || port < 1 || port > 65535 || !isWithin && (path ?? '/') !== '/')
    throw new Error(`"${address}" is not an upstream address: write ${isWebSocket(address)
      ? 'ws://host/path or ws://host:port/path' : 'mqtt://host or mqtt://host:port'}`);
  const host = match[2]!;
  return isWithin ? { scheme, host, port, path: path ?? DEFAULT_PATH } : { scheme, host, port };
}

/**
 * @returns the address as a user writes it, with its port; of a path not what follows a question mark, which may be a
 * secret
 */
export const urlOf = ({ host, path = '', port, scheme }: UpstreamAddress): string =>
  `${scheme}://${host}:${port}${path.replace(/\?.*/, '?...')}`;
