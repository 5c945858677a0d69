/**
 * Plays a lab with traffic and takes pictures of the operator page for docs/screenshots. As root, in whatever namespaces it is
 * started in; addresses and times are those of the run.
 */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { CORE_ADDRESSES } from '../src/lab/core-network.js';
import { LAB_VLANS, LabBng } from '../src/lab/lab-bng.js';
import { Lab } from '../src/lab/lab.js';
import type { OntHost } from '../src/lab/ont-host.js';
import { startBrowser } from '../test/support/browser.js';

const LINES = 9;
const ACTIVE = 6;
const LEASE_MS = 30_000;
/** For curves that have something to show. */
const WATCHED_MS = 45_000;

function downloads(hosts: readonly OntHost[]): Promise<unknown> {
  const seconds = WATCHED_MS / 1000 + 20;
  return Promise.all(
    hosts.map((host, index) => {
      const [size, wait] = [String(400 + 200 * index), String(0.004 * (index + 1))];
      const command = ['ping', '-q', '-s', size, '-i', wait, '-w', String(seconds), CORE_ADDRESSES.internet];
      return host.run(command, seconds * 1000 + LEASE_MS);
    }),
  );
}

async function picture(page: Page, name: string, fullPage = true): Promise<void> {
  await page.screenshot({ path: `docs/screenshots/operator-${name}.png`, fullPage });
}

async function play(lab: Lab): Promise<void> {
  const bng = await LabBng.start(lab);
  const browser = await startBrowser({
    namespace: lab.namespaces.bng,
    directory: lab.paths.directory,
    nameserver: '127.0.0.1',
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
    await page.goto('http://127.0.0.1:8080/');
    await page.getByLabel('API token').fill(readFileSync(bng.tokenFile, 'utf8').trim());
    await page.keyboard.press('Enter');
    const numbers = Array.from({ length: LINES }, (_, index) => index + 1);
    const hosts: OntHost[] = [];
    for (const number of numbers) {
      const ontSerial = `SIMU0000000${number}`;
      const host = await lab.plug({
        ontSerial,
        port: `1/1/${number}`,
        tagging: 'qinq',
        cVlan: 10 + number,
        client: 'udhcpc',
      });
      hosts.push(host);
      await host.waitForLease(LEASE_MS);
      if (number > ACTIVE) continue;
      const order = {
        service_id: 'home-100',
        pool: number % 3 === 0 ? 'isp-business' : 'isp-residential',
        qos_download_bps: 1e8,
        qos_upload_bps: 2e7,
      };
      await bng.post('/api/v1/activate', { ont_serial: ontSerial, ...order });
    }
    const active = hosts.slice(0, ACTIVE);
    await Promise.all(
      active.map((host) => host.waitForLease(LEASE_MS, ({ address }) => !address.startsWith('10.255.'))),
    );
    await bng.post('/api/v1/suspend', { ont_serial: 'SIMU00000006', reason: 'unpaid' });
    const walled = hosts.at(-1)?.ping('198.51.100.9', { count: 20 });
    const traffic = downloads(active.slice(0, -1));
    await page.waitForTimeout(WATCHED_MS);
    await picture(page, 'light');
    await page.getByRole('button', { name: 'SIMU00000001' }).first().click();
    await page.locator('dialog.detail .rates', { hasText: /↓ [1-9]/ }).waitFor();
    await picture(page, 'line', false);
    await page.keyboard.press('Escape');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForTimeout(1_500);
    await picture(page, 'dark');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(1_500);
    await picture(page, 'narrow');
    await Promise.all([traffic, walled]);
  } finally {
    await browser.close();
  }
}

const lab = await Lab.create({ prefix: 'shots', gardenSVlan: LAB_VLANS.wgar });
try {
  await play(lab);
} finally {
  await lab.close();
}
