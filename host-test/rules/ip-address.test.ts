/** Addresses in numbers: the same verdict as Node's, which is what opens the sockets on a computer. */
import * as net from 'node:net';
import { expect, test } from 'vitest';
import { isIPv4, isIPv6 } from '../../src/rules/ip-address.ts';

const WRITTEN = ['127.0.0.1', '0.0.0.0', '01.2.3.4', '256.1.1.1', '1.2.3', '1.2.3.4.5', '::', '::1', '1::', 'fe80::1%eth0',
  'fe80::1%', '2001:db8::7', '2001:DB8::7', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::',
  '::2:3:4:5:6:7:8', '1::2::3', ':::', ':1', '1:', '12345::', 'g::', '::ffff:192.0.2.1', '1:2:3:4:5:6:192.0.2.1',
  '1:2:3:4:5:6:7:192.0.2.1', '192.0.2.1::', '::192.0.2.256', '[::1]', 'localhost', ''];

test.each(WRITTEN)('"%s" is an address of either family when Node says so', text => {
  expect([isIPv4(text), isIPv6(text)]).toEqual([net.isIPv4(text), net.isIPv6(text)]);
});
