/** An operator's browser watches the real BNG: signs in, sees it live, finds a line, gives it orders. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { patience } from '../../src/lab/patience.js';
import { assertAccessible, startBrowser, watchForTrouble } from '../support/browser.js';
import { GARDEN, House, leaseIn, MOVE_DEADLINE_MS, RESIDENTIAL } from '../support/lab-house.js';

const PAGE = 'http://127.0.0.1:8080/';
const SCREENSHOTS = 'build/screenshots';
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 390, height: 844 };
const LINE = 'OPERATOR0001';
const ORDER_MS = MOVE_DEADLINE_MS * patience;

describe('the operator page', { timeout: 120_000 * patience }, () => {
  let house: House;
  let host: OntHost;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let trouble: readonly string[];
  let token: string;

  before(async () => {
    house = await House.start({ prefix: 'l9o' });
    [host] = (await house.plugAll([
      { ontSerial: LINE, port: '1/1/1', client: 'udhcpc', tagging: 'qinq' },
      { ontSerial: 'OPERATOR0002', port: '1/1/2', client: 'udhcpc', tagging: 'single' },
    ])) as [OntHost];
    await leaseIn(host, GARDEN);
    token = readFileSync(house.bng.tokenFile, 'utf8').trim();
    browser = await startBrowser({
      namespace: house.lab.namespaces.bng,
      directory: house.lab.paths.directory,
      nameserver: '127.0.0.1',
    });
    context = await browser.newContext({ viewport: WIDE });
    page = await context.newPage();
    page.setDefaultTimeout(ORDER_MS);
    trouble = await watchForTrouble(page);
    mkdirSync(SCREENSHOTS, { recursive: true });
  });
  after(async () => {
    await browser?.close();
    await house?.close();
  });

  /** Of a tile, what it says now. */
  async function figure(label: string): Promise<string> {
    return page.locator('.tile', { hasText: label }).locator('.figure').innerText();
  }

  async function untilFigure(label: string, text: string | RegExp): Promise<void> {
    await page.locator('.tile', { hasText: label }).locator('.figure', { hasText: text }).waitFor();
  }

  async function untilState(state: string): Promise<void> {
    await page.locator('dialog.detail header .badge', { hasText: state }).waitFor();
  }

  /** Clicks an order and confirms it. */
  async function order(name: string, fill: () => Promise<void> = async () => undefined): Promise<void> {
    await page.getByRole('button', { name: `${name}…` }).click();
    await fill();
    await page.getByRole('button', { name: `${name} ${LINE}` }).click();
  }

  it('asks for the token, refuses a wrong one in the API’s words, and shows nothing meanwhile', async () => {
    await page.goto(PAGE);
    await assertAccessible(page, 'signing in');
    await page.getByLabel('API token').fill('not-the-token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'The bearer token is not the right one.' }).waitFor();
    assert.equal(await page.locator('table').count(), 0);
    await page.getByLabel('API token').fill('ungültig');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'printable ASCII' }).waitFor();
    await page.getByLabel('API token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  });

  it('keeps the token in this tab alone: no cookie, no address, nothing that outlives it', async () => {
    assert.deepEqual(await context.cookies(), []);
    assert.equal(page.url(), PAGE);
    const kept = await page.evaluate<string>('JSON.stringify(Object.entries(localStorage))');
    assert.ok(!kept.includes(token), kept);
    const other = await context.newPage();
    await other.goto(PAGE);
    await other.getByLabel('API token').waitFor();
    await other.close();
  });

  it('shows what is: sessions, pools, dataplane, and numbers that follow the lab', async () => {
    await untilFigure('Walled garden', '2');
    await untilFigure('XDP', 'Native');
    assert.equal(await figure('Active'), '0');
    const pools = await page.getByRole('region', { name: 'Pools' }).innerText();
    for (const name of ['wgar', 'isp-residential', 'isp-business']) assert.ok(pools.includes(name), pools);
    const ports = await page.getByRole('region', { name: 'Dataplane' }).innerText();
    assert.match(ports, /access\s+attached, native/);
    assert.match(ports, /core\s+attached, native/);
    const events = await page.getByRole('region', { name: 'Live events' }).innerText();
    assert.ok(events.includes(LINE) && events.includes(host.lease!.address), events);
    const third = await house.lab.plug({
      ontSerial: 'OPERATOR0003',
      port: '1/1/3',
      client: 'udhcpc',
      tagging: 'untagged',
    });
    await untilFigure('Walled garden', '3');
    const refused = await third.run(['ping', '-c', '3', '-i', '0.2', '-W', '1', '198.51.100.77'], ORDER_MS);
    assert.notEqual(refused.exitCode, 0);
    await page.getByRole('region', { name: 'Drops by reason' }).filter({ hasText: 'garden' }).waitFor();
  });

  it('finds a line by a part of its name, and by its address opens it at once', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('ator0002');
    await page.getByText('1 to 1', { exact: true }).waitFor();
    assert.deepEqual(await page.locator('.sessions tbody th').allInnerTexts(), ['OPERATOR0002']);
    const search = page.getByRole('searchbox', { name: 'Search sessions' });
    await search.fill('no such line');
    await page.getByText('No session matches.').waitFor();
    await search.fill(host.lease!.address);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: LINE }).waitFor();
    const facts = await page.locator('dialog.detail .facts').innerText();
    for (const words of [host.lease!.address, 'wgar', 'yes, in the garden', 'bound, until']) {
      assert.ok(facts.includes(words), facts);
    }
  });

  it('activates it, once that is confirmed, and shows how it gets its new address', async () => {
    await page.getByRole('button', { name: 'Activate…' }).click();
    await assertAccessible(page, 'the order');
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await house.session(LINE))?.state, 'wgar', 'nothing was confirmed');
    await order('Activate', async () => {
      await page.getByLabel('Service id').fill('home-100');
      await page.getByRole('combobox', { name: /^Pool/ }).selectOption('isp-residential');
      await page.getByLabel(/^Download/).fill('100');
      await page.getByLabel(/^Upload/).fill('20.5');
    });
    await untilState('Active');
    const session = await house.session(LINE);
    assert.deepEqual([session?.service_id, session?.pool], ['home-100', 'isp-residential']);
    await leaseIn(host, RESIDENTIAL);
    await page.locator('dialog.detail .facts').filter({ hasText: host.lease!.address }).waitFor();
    const facts = await page.locator('dialog.detail .facts').innerText();
    assert.match(facts, /100 Mbit\/s/);
    assert.match(facts, /20\.5 Mbit\/s/);
  });

  it('shows what the line carries, while it carries it', async () => {
    const pinging = host.ping(CORE_ADDRESSES.internet, { count: 12 });
    await page.locator('dialog.detail .rates', { hasText: /↓ [1-9]/ }).waitFor();
    await assertAccessible(page, 'a line');
    await page.screenshot({ path: join(SCREENSHOTS, 'operator-line.png') });
    await pinging;
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.locator('.legend li', { hasText: /Downstream \d/ }).waitFor();
  });

  it('suspends with a reason, resumes, terminates; what the BNG refuses it tells in its words', async () => {
    await page.getByRole('searchbox').fill(LINE);
    await page.keyboard.press('Enter');
    await order('Suspend', () =>
      page.getByRole('textbox', { name: /^Reason/ }).fill('Invoice 4711 is not paid'),
    );
    await untilState('Suspended');
    await page.locator('dialog.detail .facts').filter({ hasText: 'Invoice 4711 is not paid' }).waitFor();
    await leaseIn(host, GARDEN);
    await page.getByRole('button', { name: 'Resume…' }).click();
    // Meanwhile another operator ends it.
    assert.equal((await house.order('terminate', LINE)).status, 200);
    await page.getByRole('button', { name: `Resume ${LINE}` }).click();
    await page.getByRole('alert').filter({ hasText: /./ }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('This session has ended.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').fill('');
    await page.getByRole('searchbox').blur();
  });

  it('is readable in light and dark, wide and narrow, without a serious finding', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [name, viewport] of [
        ['wide', WIDE],
        ['narrow', NARROW],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        await assertAccessible(page, `${colorScheme} ${name}`);
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(width <= viewport.width, `${name}: ${width} pixels wide`);
        await page.screenshot({
          path: join(SCREENSHOTS, `operator-${colorScheme}-${name}.png`),
          fullPage: true,
        });
      }
    }
    await page.setViewportSize(WIDE);
    await page.getByRole('button', { name: 'Theme: system' }).click();
    assert.equal(await page.evaluate('getComputedStyle(document.documentElement).colorScheme'), 'light');
  });

  it('says when the BNG is gone, and goes on by itself when it is back', async () => {
    await house.bng.process.stop();
    await page.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();
    await house.restartBng();
    await page.getByLabel('API token').waitFor();
    assert.match(await page.getByRole('alert').innerText(), /no longer accepted/);
    await page.getByLabel('API token').fill(readFileSync(house.bng.tokenFile, 'utf8').trim());
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API token').waitFor();
    assert.equal(await page.evaluate('sessionStorage.length'), 0);
  });

  it('its security policy had nothing to forbid, and no error went uncaught', () => {
    assert.deepEqual(trouble, []);
  });
});
