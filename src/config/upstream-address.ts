/** What `upstream.address` says. */

export function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Host and port of an upstream address. An address of IPv6 stands in brackets, as in every URL, and `host` keeps them.
 * @throws Error when it is not `mqtt://host[:port]`
 */
export function parseAddress(address: string): { host: string; port: number } {
  const match =
    /^mqtt:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?\])(?::([0-9]{1,5}))?\/?$/.exec(address);
  const port = Number(match?.[2] ?? 1883);
  if (!match || port < 1 || port > 65535)
    throw new Error(`"${address}" is not an upstream address: write mqtt://host or mqtt://host:port`);
  return { host: match[1]!, port };
}
