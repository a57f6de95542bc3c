/**
 * Addresses that mean the machine itself.
 */

export const isLoopback = (host: string): boolean => host === 'localhost' || host.startsWith('127.');

export const describeLoopback = (address: string): string =>
  `"${address}" is the board itself, where no broker is; write the broker's address, like "mqtt://192.168.1.10:1883", instead`;
