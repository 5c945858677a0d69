/** The operator page before 100,000 sessions: whatever there is, a browser holds one screen of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page, Request } from 'playwright-core';
import { buildApi } from '../../src/http/api.js';
import { patience } from '../../src/lab/patience.js';
import { systemClock } from '../../src/model/system-clock.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { readPageFiles } from '../../src/page-files.js';
import { apiOptions, FakeBng, makeSession } from '../http/fake-bng.js';
import { startBrowserHere, watchForTrouble } from '../support/browser.js';

const SESSIONS = 100_000;
const TOKEN = 'crowd-token';
const STORM = 20_000;
const DEADLINE_MS = 30_000 * patience;
const MOST_ROWS = 25;
const MOST_ELEMENTS = 2_500;

function crowd(bng: FakeBng): void {
  const base = makeSession();
  const mac = parseMac('02:00:00:00:00:01');
  for (let number = 0; number < SESSIONS; number++) {
    bng.list.push({
      ...base,
      id: `session-${number}`,
      ontSerial: `CROWD${String(number).padStart(7, '0')}`,
      address: (0x0a000000 + number) as Ipv4,
      attachment: { ifindex: 3, sVlan: 200, cVlan: number % 4094, mac },
      createdWallMs: base.createdWallMs + number,
    });
  }
}

describe('the operator page with 100,000 sessions', { timeout: 120_000 * patience }, () => {
  const bng = new FakeBng();
  const directory = mkdtempSync(join(tmpdir(), 'bng-crowd-'));
  const asked: string[] = [];
  let app: FastifyInstance;
  let browser: Browser;
  let page: Page;
  let trouble: readonly string[];

  before(async () => {
    crowd(bng);
    const onBug = (error: unknown): void => assert.fail(String(error));
    const options = { clock: systemClock, token: TOKEN, page: { files: readPageFiles(), onBug } };
    app = buildApi(apiOptions(bng, options));
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    browser = await startBrowserHere(directory);
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(DEADLINE_MS);
    trouble = await watchForTrouble(page);
    page.on('request', (request: Request) => void asked.push(request.url()));
    await page.goto(address);
    await page.getByLabel('API token').fill(TOKEN);
    await page.keyboard.press('Enter');
    await page.getByText('1 to 25, and more').waitFor();
  });
  after(async () => {
    await browser?.close();
    await app?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const rows = (): Promise<string[]> => page.locator('.sessions tbody th').allInnerTexts();

  it('shows all of them as a number, and one page of them as rows', async () => {
    await page
      .locator('.tile', { hasText: 'Walled garden' })
      .locator('.figure', { hasText: '100,000' })
      .waitFor();
    assert.equal((await rows()).length, MOST_ROWS);
  });

  it('turns pages there and back', async () => {
    const first = await rows();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('26 to 50, and more').waitFor();
    assert.equal((await rows())[0], 'CROWD0000025');
    await page.getByRole('button', { name: 'Previous' }).click();
    await page.getByText('1 to 25, and more').waitFor();
    assert.deepEqual(await rows(), first);
  });

  it('finds the last of them by a part of its name', async () => {
    await page.getByRole('searchbox').fill('crowd0099999');
    await page.getByText('1 to 1', { exact: true }).waitFor();
    assert.deepEqual(await rows(), ['CROWD0099999']);
  });

  it('stays usable in a storm of events, and shows the newest of them', async () => {
    for (let event = 0; event < STORM; event++) {
      bng.tell({
        type: 'lease-renewed',
        wallMs: Date.now(),
        session: bng.list[event] ?? makeSession(),
        address: 0x0a000000 as Ipv4,
        poolName: 'wgar',
      });
    }
    await page.getByText('more events not shown').first().waitFor();
    const events = page.locator('.live .events li');
    assert.equal(await events.first().getByRole('button').innerText(), `CROWD00${STORM - 1}`);
    assert.ok((await events.count()) <= 100);
    await page.getByRole('searchbox').fill('');
    await page.getByText('1 to 25, and more').waitFor();
  });

  it('never asked for more than it shows, and holds no more', async () => {
    const lists = asked.filter((url) => url.includes('/api/v1/sessions?'));
    assert.ok(lists.length > 3, `${lists.length} requests`);
    for (const url of lists) assert.ok(Number(new URL(url).searchParams.get('limit')) <= MOST_ROWS, url);
    assert.ok(!asked.some((url) => /\/api\/v1\/(subscribers|maps|leases)/.test(url)));
    const elements = await page.evaluate<number>('document.querySelectorAll("*").length');
    assert.ok(elements < MOST_ELEMENTS, `${elements} elements`);
    assert.deepEqual(trouble, []);
  });
});
