/** What must hold for the page: an address, and a password where others can reach it. */
import type { Configuration } from '../config/configuration.ts';
import type { Findings } from './findings.ts';
import { isIPv4, isIPv6 } from './ip-address.ts';
import { parseHashForm } from './password-hash.ts';

export const isOfComputerItself = (address: string): boolean => address.startsWith('127.') || address === '::1';

const ALL = Object.freeze(['0.0.0.0', '::'] as readonly string[]);

export function judgePage(findings: Findings, { listener, page }: Configuration): void {
  if (page === null)
    return;
  const { address, certfile, keyfile, password_hash, port } = page;
  if (!isIPv4(address) && !isIPv6(address))
    findings.add(['page', 'address'], address === 'localhost' ? 'must be an IP address; write "127.0.0.1" instead'
      : `"${address}" is no IP address; write "127.0.0.1" for this computer only, or "0.0.0.0" for all of IPv4 and `
        + 'a password_hash, instead');
  else if (password_hash === null && !isOfComputerItself(address))
    findings.add(['page'], `everybody who reaches ${address} could read all and change all; write "password_hash": `
      + '"..." as "ringbridge passwd --page" prints it, or "address": "127.0.0.1"');
  if (password_hash !== null && parseHashForm(password_hash) === undefined)
    findings.add(['page', 'password_hash'], 'is no hash that can be used; write what "ringbridge passwd --page" prints '
      + 'instead');
  if (certfile !== null && keyfile === null)
    findings.add(['page', 'certfile'], 'a certificate is of no use without its key; write "keyfile" as well');
  if (keyfile !== null && certfile === null)
    findings.add(['page', 'keyfile'], 'a key is of no use without its certificate; write "certfile" as well');
  const isSame = address === listener.address || ALL.includes(address) || ALL.includes(listener.address);
  if (port !== 0 && port === listener.port && isSame)
    findings.add(['page', 'port'], `${port} is the port of the listener for nodes (listener.port); write another one, `
      + 'like 8080, or 0 for any free one, instead');
}
