/** A configuration with several listeners: what each is, and where what is wrong stands in the file. */
import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/host/config.ts';

const FIRST = { port: 1883, address: '127.0.0.1', allow_anonymous: true, max_packet_size: 5000, certfile: 'c', keyfile: 'k' };

const read = (listener: unknown) => readConfiguration(JSON.stringify({ listener }, undefined, 1), 'f.json');
const errorsOf = (listener: unknown): string[] => read(listener).errors.map(line => line.replace(/^f\.json:\d+:\d+: /, ''));

describe('several listeners', () => {
  it('share what the first one says, but for what is a port\'s own', () => {
    const { configuration, listeners } = read([FIRST, { port: 9001, protocol: 'websockets' }]);
    expect(configuration!.listener).toMatchObject({ port: 1883, max_packet_size: 5000, certfile: 'c', protocol: 'mqtt' });
    expect(listeners).toMatchObject([{ port: 9001, protocol: 'websockets', max_packet_size: 5000, certfile: null,
      address: '0.0.0.0' }]);
  });

  it('may be one in a list', () => {
    const { configuration, listeners } = read([FIRST]);
    expect([configuration!.listener.port, listeners]).toEqual([1883, []]);
  });

  it.each<[string, unknown, string[]]>([
    ['no port', [FIRST, { protocol: 'websockets' }],
      ['listener[1]: each of several listeners has a port; write for example "port": 8883 as well']],
    ['the port of another', [FIRST, { port: 1883, address: '127.0.0.1' }],
      ['listener[1].port: 1883 is the port of another listener; write another one instead']],
    ['what holds for all', [FIRST, { port: 1, max_packet_size: 7000 }],
      ['listener[1].max_packet_size: holds for all listeners; write it in the first one instead']],
    ['a key that is none', [FIRST, { port: 1, certifle: 'x' }],
      ['listener[1].certifle: there is no such key; write "certfile" instead']],
    ['a certificate without its key', [FIRST, { port: 1, certfile: 'x' }],
      ['listener[1].certfile: a certificate is of no use without its key; write "keyfile" as well']],
    ['a wrong address of the first', [{ ...FIRST, address: 'x' }, { port: 1 }],
      [expect.stringMatching(/^listener\[0\]\.address: "x" is no IP address/) as string]],
  ])('are refused with %s', (_name, listener, errors) => {
    expect(errorsOf(listener)).toEqual(errors);
  });

  it('are for a computer: a board has one', () => {
    expect(readConfiguration(JSON.stringify({ listener: [{ port: 1 }, { port: 2 }] }), 'f.json', {}).errors)
      .toEqual(['f.json:1:2: listener: a board has one listener; write one object {...} instead of the list']);
  });
});
