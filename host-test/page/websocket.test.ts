/** MQTT.js in Chromium connects to the listener: from a page of this computer, and from one of a stranger. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { expect, it } from 'vitest';
import { pathOf } from '../programs-here.ts';
import { Stage, until } from '../host/tls-stage.ts';

const TIME_LIMIT = 120_000;
const LIBRARY = fileURLToPath(new URL('../../node_modules/mqtt/dist/mqtt.min.js', import.meta.url));

/** Runs in the page. @returns what came back, or why it could not connect */
const talk = (port: number): Promise<string> => new Promise(resolve => {
  const { mqtt } = globalThis as unknown as { mqtt: typeof import('mqtt').default };
  const client = mqtt.connect(`ws://127.0.0.1:${port}/mqtt`, { reconnectPeriod: 0 });
  client.on('connect', () => client.subscribe('a/#', () => client.publish('a/b', 'x'.repeat(70_000), { qos: 1 })));
  client.on('message', (topic, payload) => {
    client.end();
    resolve(`${topic} ${payload.length}`);
  });
  client.on('close', () => resolve('closed'));
});

it('serves a page of this computer, and no other one', async () => {
  const stage = new Stage();
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(`<script>${readFileSync(LIBRARY, 'utf8').replaceAll('</script', '<\\/script')}</script>`);
  }).listen(0, '127.0.0.1');
  const browser = await chromium.launch({ executablePath: pathOf('chromium'),
    args: ['--no-sandbox', '--host-resolver-rules=MAP stranger.example 127.0.0.1'] });
  try {
    await stage.start({ address: ['mqtt://127.0.0.1:1'] }, { listener: {
      protocol: 'websockets', max_packet_size: 131_072, max_queued_bytes: 300_000,
    } });
    await until(() => stage.port !== 0);
    const page = await browser.newPage();
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    expect(await page.evaluate(talk, stage.port)).toBe('a/b 70000');
    await page.goto(`http://stranger.example:${port}/`);
    expect(await page.evaluate(talk, stage.port)).toBe('closed');
    await stage.line(/runs a page of "http:\/\/stranger\.example:\d+", which may not connect/);
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
    await stage.end();
  }
}, TIME_LIMIT);
