/**
 * The page in a real browser, on real gateways: every view with live data, the plug, the password, a narrow screen, the
 * keyboard. What the browser complains of (a script that the policy forbids, a host of the outside) fails the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Aedes } from 'aedes';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pathOf } from '../programs-here.ts';
import { formatPasswordHash, hashPassword } from '../../src/host/password.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/host/main.js', import.meta.url));
const DEMO = fileURLToPath(new URL('../../dist/demo/main.js', import.meta.url));
const PASSWORD = 'correct horse';
const TIME_LIMIT = 120_000;
/** Milliseconds for what the page should show. */
const PATIENCE = 30_000;

const VIEWS = ['Overview', 'Nodes', 'Topics', 'Store', 'Upstream', 'Log', 'Configuration', 'About'];

const folder = mkdtempSync(join(tmpdir(), 'ringbridge-page-'));
const processes: ChildProcess[] = [];
const complaints: string[] = [];
let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: pathOf('chromium'), args: ['--no-sandbox'] });
}, TIME_LIMIT);
afterEach(async () => { // pages first: they complain when their gateway is gone
  await Promise.all(browser.contexts().map(context => context.close()));
  processes.splice(0).forEach(process => process.kill('SIGKILL'));
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** @returns the address of the page @throws Error when the program ends without one */
function run(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], cwd: folder });
  processes.push(child);
  let text = '';
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', part => { // to the end: the demo stops when nobody reads it
      text += String(part);
      const [, url] = /^ready .* page=(https?:\S+)$/m.exec(text) ?? [];
      if (url !== undefined)
        resolve(url);
    });
    child.on('exit', () => reject(new Error(`ended without a page: ${text}`)));
  });
}

function gateway(rest: object): Promise<string> {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({
    name: 'greenhouse',
    upstream: { address: ['mqtt://127.0.0.1:1'], restart_timeout: [1, 2] },
    listener: { address: '127.0.0.1', port: 0, allow_anonymous: true },
    topic: [{ pattern: '#', direction: 'out', remote_prefix: 'site/' }, { pattern: 'cmd/#', direction: 'in' }],
    sensors: [{ name: 'air', type: 'simulated', topic: 'air/temperature', interval: 0.2 }],
    page: { port: 0 }, ...rest,
  }));
  return run([PROGRAM, 'run', '--config', file]);
}

async function open(url: string, width = 1280, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const { host } = new URL(url);
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  complaints.length = 0;
  page.on('pageerror', error => complaints.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error' && !/401/.test(message.text()))
      complaints.push(message.text());
  });
  page.on('request', request => {
    const { host: asked, protocol } = new URL(request.url());
    if (protocol !== 'data:' && asked !== host)
      complaints.push(`asks ${request.url()}`);
  });
  await page.goto(url);
  return page;
}

const show = async (page: Page, view: string): Promise<void> => {
  await page.getByRole('link', { name: view, exact: true }).click();
  await page.locator('nav a[aria-current="page"]', { hasText: view }).waitFor();
};

const see = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();

/** What does not fit beside the rest: pixels. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth') as Promise<number>;

describe('the page in Chromium', () => {
  it('shows every view with what the gateway does', async () => {
    const url = await gateway({});
    const page = await open(url);
    await see(page, /no connection to the broker/);
    await see(page, /[1-9]\d* waiting/);
    expect(await page.locator('.chart canvas').count()).toBe(1);
    await show(page, 'Nodes');
    await see(page, 'No node has connected yet.');
    await show(page, 'Topics');
    await see(page, 'site/#');
    await see(page, 'air/temperature');
    await page.getByLabel('Search').fill('cmd');
    await page.getByText('site/#').waitFor({ state: 'detached' });
    await show(page, 'Store');
    await see(page, 'in memory: lost at a restart');
    await see(page, 'Nothing is set aside.');
    await show(page, 'Upstream');
    await see(page, 'mqtt://127.0.0.1:1');
    await show(page, 'Log');
    await see(page, /upstream mqtt:\/\/127\.0\.0\.1:1: cannot reach/);
    await page.getByLabel('Level').selectOption('error');
    await see(page, 'No line is like that.');
    await show(page, 'About');
    await see(page, '/api/openapi.json');
    expect(complaints).toEqual([]);
  }, TIME_LIMIT);

  it('sees the broker come, and what waited go out', async () => {
    const server = createServer();
    const broker = await Aedes.createBroker();
    server.on('connection', socket => broker.handle(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const upstream = { address: [`mqtt://127.0.0.1:${port}`], restart_timeout: [1, 2] };
    const page = await open(await gateway({ upstream }));
    await page.locator('.flow .good', { hasText: 'connected' }).waitFor();
    await page.locator('.words.good').waitFor();
    const toBroker = page.locator('.flow .arrow:nth-child(6) .rate').first();
    await expect.poll(() => toBroker.textContent(), { timeout: PATIENCE }).toMatch(/[1-9]/);
    expect(complaints).toEqual([]);
    broker.close();
    server.close();
  }, TIME_LIMIT);

  it('of the demo pulls the plug, and puts it back', async () => {
    const page = await open(await run([DEMO]));
    await page.locator('.flow .good', { hasText: 'connected' }).waitFor();
    await show(page, 'Nodes');
    await see(page, 'weather');
    await show(page, 'Overview');
    await page.getByRole('button', { name: 'Pull the upstream plug' }).click();
    await see(page, /[1-9]\d* waiting/);
    await page.locator('.flow li.broken').waitFor();
    await page.getByRole('button', { name: 'Put the upstream plug back' }).click();
    await page.locator('.flow .good', { hasText: 'connected' }).waitFor();
    expect(complaints).toEqual([]);
  }, TIME_LIMIT);

  it.each([[1280, 'light'], [360, 'dark']] as const)('has nothing serious that axe finds, at %i pixels, %s', async (width, scheme) => {
    const source = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
    const page = await open(await gateway({ page: { port: 0, allow_publish: true } }), width, scheme);
    await see(page, /no connection to the broker/);
    await page.evaluate(source); // by the debugger, which the policy of the page does not bind
    for (const view of VIEWS) {
      await show(page, view);
      const found = await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`);
      expect(found, view).toEqual([]);
    }
    const password_hash = formatPasswordHash(await hashPassword(PASSWORD));
    const login = await open(await gateway({ page: { port: 0, password_hash } }), width, scheme);
    await login.getByLabel('Password').waitFor();
    await login.evaluate(source);
    expect(await login.evaluate('axe.run(document).then(({ violations }) => violations.map(({ id }) => id))')).toEqual([]);
  }, TIME_LIMIT);

  it('at 360 pixels shows that there are more tabs, and the one that is open', async () => {
    const page = await open(`${await gateway({})}#about`, 360);
    await see(page, '/api/openapi.json');
    expect(await page.evaluate('(nav => nav.scrollWidth > nav.clientWidth)(document.querySelector("nav"))')).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.querySelector("nav")).backgroundImage')).toMatch(/(?:linear-gradient.*){4}/);
    await expect.poll(() => page.evaluate('document.querySelector("nav a[aria-current]").getBoundingClientRect().right <= innerWidth'),
      { timeout: PATIENCE }).toBe(true);
  }, TIME_LIMIT);

  it('draws the course of the values of a sensor', async () => {
    const page = await open(await gateway({ sensors: [
      { name: 'air', type: 'simulated', topic: 'air/temperature', interval: 0.2 },
      { name: 'pump', type: 'simulated_switch', topic: 'pump/running', interval: 0.2 },
    ] }));
    await show(page, 'Topics');
    await page.getByRole('img', { name: 'Values of air/temperature over the last minutes' }).waitFor();
    await page.locator('figcaption', { hasText: /air\/temperature: -?\d+\.\d/ }).waitFor();
    await page.getByLabel('Course of').selectOption('pump');
    await page.getByRole('img', { name: 'Values of pump/running over the last minutes' }).waitFor();
    expect(complaints).toEqual([]);
  }, TIME_LIMIT);

  it('publishes a test message where that is allowed, and says what is wrong with one', async () => {
    const url = await gateway({ page: { port: 0, allow_publish: true } });
    const page = await open(url);
    await show(page, 'Topics');
    await page.getByLabel('Topic', { exact: true }).fill('hand/#');
    await page.getByRole('button', { name: 'Publish' }).click();
    await see(page, 'topic must be a Topic Name');
    await page.getByLabel('Topic', { exact: true }).fill('hand/made');
    await page.getByLabel('Payload').fill('hello');
    await page.getByRole('button', { name: 'Publish' }).click();
    await see(page, 'Published under "hand/made".');
    expect(complaints.filter(text => !/422/.test(text))).toEqual([]);
    const closed = await open(await gateway({}));
    await show(closed, 'Topics');
    await see(closed, 'Last readings');
    expect(await closed.getByRole('button', { name: 'Publish' }).count()).toBe(0);
  }, TIME_LIMIT);

  it('asks for the password, and lets nobody in without', async () => {
    const password_hash = formatPasswordHash(await hashPassword(PASSWORD));
    const page = await open(await gateway({ page: { port: 0, password_hash } }));
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await see(page, 'The password is wrong.');
    expect(await page.getByText('greenhouse').count()).toBe(0);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await see(page, 'greenhouse');
    await page.reload();
    await see(page, 'greenhouse');
    await show(page, 'About');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
    expect(complaints).toEqual([]);
  }, TIME_LIMIT);

  it('marks a bad configuration by path, tries a good one, and keeps it', async () => {
    const page = await open(await gateway({}));
    await show(page, 'Configuration');
    const text = page.getByLabel('The file, as JSON');
    await expect.poll(() => text.inputValue(), { timeout: PATIENCE }).toContain('greenhouse');
    const before = await text.inputValue();
    await text.fill(before.replace('"listener"', '"listner"'));
    await page.getByRole('button', { name: 'Save' }).click();
    await see(page, 'there is no such key; write "listener" instead');
    await text.fill(before.replace('greenhouse', 'orchard'));
    await page.getByRole('button', { name: 'Try for 60 seconds' }).click();
    await page.getByRole('heading', { name: 'orchard' }).waitFor();
    await page.getByRole('button', { name: 'Keep' }).click();
    await see(page, 'Kept.');
    expect(complaints.filter(text => !/422/.test(text))).toEqual([]);
  }, TIME_LIMIT);

  it.each([[360, 'dark'], [360, 'light'], [1280, 'dark']] as const)('fits %i pixels, %s', async (width, scheme) => {
    const page = await open(await gateway({ name: 'a-gateway-with-a-long-name-'.repeat(2) }), width, scheme);
    await see(page, /no connection to the broker/);
    for (const view of VIEWS) {
      await show(page, view);
      expect(await overflow(page), view).toBeLessThanOrEqual(0);
    }
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor') as string;
    const [red = 0] = /\d+/.exec(ground)!.map(Number);
    expect(red < 128).toBe(scheme === 'dark');
    expect(complaints).toEqual([]);
  }, TIME_LIMIT);

  it('is used by keyboard', async () => {
    const page = await open(await gateway({}));
    await see(page, /no connection to the broker/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Nodes');
    await page.keyboard.press('Enter');
    await see(page, 'No node has connected yet.');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
  }, TIME_LIMIT);

  it('says when the gateway is gone', async () => {
    const page = await open(await gateway({}));
    await see(page, /no connection to the broker/);
    processes[0]!.kill('SIGKILL');
    await see(page, /No news from the gateway/);
  }, TIME_LIMIT);
});
