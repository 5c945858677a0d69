/** A subscriber's browser meets the portal: from any http:// page to activation, a new address, and the page it wanted. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { patience } from '../../src/lab/patience.js';
import { assertAccessible, startBrowser } from '../support/browser.js';
import { makeCertificate } from '../support/certificate.js';
import type { CertificateFiles } from '../support/certificate.js';
import { CHECKS } from '../support/connectivity-checks.js';
import {
  GARDEN,
  House,
  leaseIn,
  MOVE_DEADLINE_MS,
  ordered,
  RESIDENTIAL,
  until,
} from '../support/lab-house.js';

/** The lab's resolvers answer every name with the address of the web server that stands for the internet. */
const WANTED = 'http://news.example/today?page=1';
const PORTAL = 'http://10.255.0.1';
const CAPTIVE_HOST = 'portal.example.net';
/** On the one port of the portal, by TLS. */
const CAPTIVE_API = `https://${CAPTIVE_HOST}:80/captive-portal/api`;
const HOME = {
  serviceId: 'home-100',
  pool: 'isp-residential',
  downloadBps: 100_000_000,
  uploadBps: 20_000_000,
  name: { en: 'Home 100', de: 'Zuhause 100' },
  description: { en: 'For the whole family.', de: 'Für die ganze Familie.' },
};
const OFFERS = [
  HOME,
  {
    ...HOME,
    serviceId: 'home-max',
    downloadBps: 0,
    uploadBps: 0,
    name: { en: 'Home Max', de: 'Zuhause Max' },
  },
];
const PHONE = { width: 360, height: 740 };
const SCREENSHOTS = 'build/screenshots';
/** Sends what is as long as QUIC's first datagram, and says what the stack then tells of it. */
const QUIC_CLIENT = `const socket = require('dgram').createSocket('udp4');
socket.on('error', ({ code }) => { process.stdout.write(code); socket.close(); });
socket.connect(443, '${CORE_ADDRESSES.internet}', () => socket.send(Buffer.alloc(1200)));
setTimeout(() => { process.stdout.write('nothing'); process.exit(); }, 5000).unref();`;
const QUICKLY_MS = 2_000 * patience;

describe('a browser behind an ONT', { timeout: 120_000 * patience }, () => {
  let house: House;
  let host: OntHost;
  let other: OntHost;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let certificate: CertificateFiles;

  before(async () => {
    house = await House.start({
      prefix: 'l9a',
      configure: ({ paths }) => ({
        portal: {
          captiveApi: CAPTIVE_API,
          tls: (certificate = makeCertificate(paths.directory, [`DNS:${CAPTIVE_HOST}`])),
          provider: 'Example Net',
          contact: { en: 'Call 0800 123456.', de: 'Rufen Sie 0800 123456 an.' },
          offers: OFFERS,
        },
      }),
    });
    [host, other] = (await house.plugAll([
      { ontSerial: 'BROWSER00001', port: '1/1/1', client: 'udhcpc', tagging: 'qinq' },
      { ontSerial: 'BROWSER00002', port: '1/1/2', client: 'udhcpc', tagging: 'single' },
    ])) as [OntHost, OntHost];
    await Promise.all([leaseIn(host, GARDEN), leaseIn(other, GARDEN)]);
    browser = await startBrowserAt(host);
    context = await browser.newContext({ viewport: PHONE, locale: 'en-GB' });
    page = await context.newPage();
    mkdirSync(SCREENSHOTS, { recursive: true });
  });
  after(async () => {
    await browser?.close();
    await house?.close();
  });

  function startBrowserAt(ont: OntHost): Promise<Browser> {
    const directory = join(house.lab.paths.directory, ont.namespace);
    return startBrowser({ namespace: ont.namespace, directory, nameserver: CORE_ADDRESSES.resolvers[0] });
  }

  /** Asked by its name, with a certificate that is checked, as phones do. */
  function captiveApi(ont: OntHost): ReturnType<OntHost['run']> {
    const where = ['--resolve', `${CAPTIVE_HOST}:80:10.255.0.1`, '--cacert', certificate.certFile];
    return ont.run(
      ['curl', '-sS', '-f', '-m', '5', '--noproxy', '*', ...where, CAPTIVE_API],
      MOVE_DEADLINE_MS,
    );
  }

  async function picture(name: string): Promise<void> {
    await page.screenshot({ path: join(SCREENSHOTS, `portal-${name}.png`), fullPage: true });
  }

  async function title(): Promise<string> {
    return page.locator('h1').innerText();
  }

  /** Nothing is cut off or to be scrolled sideways on a phone. */
  async function assertFits(what: string): Promise<void> {
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    assert.ok(width <= PHONE.width, `${what}: ${width} pixels wide`);
  }

  it('is told by DHCP where the captive portal API is, whoever answers, and the API says that it is captive', async () => {
    const script = join(house.lab.paths.directory, 'option114');
    writeFileSync(script, '#!/bin/sh\n[ "$1" != bound ] || printf %s "$opt114"\n', { mode: 0o755 });
    const asking = ['udhcpc', '-i', 'eth0', '-f', '-n', '-q', '-O', '114', '-s', script];
    const { stdout, stderr } = await other.run(asking, MOVE_DEADLINE_MS);
    assert.equal(Buffer.from(stdout, 'hex').toString(), CAPTIVE_API, stderr);

    const answered = async (): Promise<number> => Number((await house.verdicts())['dhcp_reply']);
    const before = await answered();
    let heard: string | null = null;
    const listening = ['tcpdump', '-i', 'eth0', '-n', '-A', '-s0', '-c1', 'udp src port 67'];
    const watch = other.run(listening, MOVE_DEADLINE_MS).then((result) => (heard = result.stdout));
    await until('an answer to a renewal', MOVE_DEADLINE_MS, async () => {
      if (heard === null) await other.askAgain();
      return heard;
    });
    await watch;
    assert.ok(heard !== null && (heard as string).includes(CAPTIVE_API), heard ?? '');
    assert.ok((await answered()) > before, 'XDP never answered');
    // The client configures its interface once more for the renewal.
    const body = await until('the API answers', MOVE_DEADLINE_MS, async () => {
      const { exitCode, stdout: told } = await captiveApi(other);
      return exitCode === 0 ? told : null;
    });
    assert.equal((JSON.parse(body) as { captive: unknown }).captive, true);
  });

  it('asks for any http:// page and is shown the offers, in light and dark, without a serious finding', async () => {
    await page.goto(WANTED);
    assert.equal(page.url(), `${PORTAL}/?from=${encodeURIComponent(WANTED)}`);
    assert.equal(await title(), 'Your line is not activated yet');
    assert.deepEqual(await page.locator('h3').allInnerTexts(), ['Home 100', 'Home Max']);
    assert.deepEqual(await page.locator('dd').first().innerText(), '100 Mbit/s');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await assertAccessible(page, colorScheme);
      await picture(`offers-${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await assertFits('offers');
  });

  it('is told of the same in the other language, and still knows where it was going', async () => {
    await page.getByRole('link', { name: 'Deutsch' }).click();
    assert.equal(await title(), 'Ihr Anschluss ist noch nicht freigeschaltet');
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    await assertAccessible(page, 'German');
    await assertFits('German offers');
    await picture('offers-german');
    await page.getByRole('link', { name: 'English' }).click();
    assert.ok(page.url().includes(`from=${encodeURIComponent(WANTED)}`), page.url());
  });

  it('learns at once that an https:// page cannot be had', async () => {
    const secure = await context.newPage();
    const began = performance.now();
    await assert.rejects(secure.goto('https://news.example/'), /ERR_CONNECTION_REFUSED/);
    assert.ok(performance.now() - began < QUICKLY_MS, `${performance.now() - began} ms`);
    await secure.close();
  });

  it('learns at once that QUIC cannot be had', async () => {
    const { stdout, stderr } = await host.run([process.execPath, '-e', QUIC_CLIENT], MOVE_DEADLINE_MS);
    assert.equal(stdout, 'EHOSTUNREACH', stderr);
  });

  it('the connectivity checks of all systems meet the portal', async () => {
    for (const [system, name, path] of CHECKS) {
      const { status, redirect } = await checkFrom(host, name, path);
      assert.deepEqual(
        [status, redirect],
        ['302', `${PORTAL}/?from=${encodeURIComponent(`http://${name}${path}`)}`],
        system,
      );
    }
  });

  it('activates, waits while its link bounces, and is told on its own when the line is open', async () => {
    const losses = host.carrierLosses;
    await page.getByRole('button', { name: 'Activate Home 100' }).click();
    assert.equal(await title(), 'Your line is being activated');
    await assertAccessible(page, 'progress');
    await picture('progress');
    assert.ok(await host.waitForCarrierLosses(losses + 1, MOVE_DEADLINE_MS), 'its link never bounced');
    await leaseIn(host, RESIDENTIAL);
    await page
      .getByRole('heading', { name: 'Your line is active' })
      .waitFor({ timeout: MOVE_DEADLINE_MS * patience });
    const session = await house.session(host.ontSerial);
    assert.deepEqual([session?.state, session?.service_id], ['active', 'home-100']);
    assert.ok((await page.locator('dl').innerText()).includes(host.lease!.address));
    const { stdout } = await captiveApi(host);
    assert.equal((JSON.parse(stdout) as { captive: unknown }).captive, false);
    await assertAccessible(page, 'active');
    await picture('active');
  });

  it('goes on to the page that it wanted, which is the internet’s own now', async () => {
    await page.getByRole('link', { name: WANTED }).click();
    await page.waitForURL(WANTED);
    const text = await page.locator('body').innerText();
    assert.ok(text.includes('server internet') && text.includes(`client ${host.lease!.address}`), text);
  });

  it('the connectivity checks of all systems are untouched', async () => {
    for (const [system, name, path] of CHECKS) {
      const { status, body } = await checkFrom(host, name, path);
      assert.equal(status, '200', system);
      assert.ok(
        body.includes(`server internet\nclient ${host.lease!.address}\npath ${path}\n`),
        `${system}: ${body}`,
      );
    }
  });

  it('is told of a suspension, why, and what to do', async () => {
    const { status } = await house.bng.post('/api/v1/suspend', {
      ont_serial: host.ontSerial,
      reason: 'Invoice 4711 is not paid',
    });
    assert.equal(status, 200);
    await leaseIn(host, GARDEN);
    await page.goto('http://news.example/tomorrow');
    assert.equal(await title(), 'Your line is suspended');
    const text = await page.locator('main').innerText();
    for (const words of ['Invoice 4711 is not paid', 'contact your provider', 'Call 0800 123456.']) {
      assert.ok(text.includes(words), text);
    }
    assert.equal(await page.getByRole('button').count(), 0);
    await assertAccessible(page, 'suspended');
    await assertFits('suspended');
    await picture('suspended');
  });

  it('another line’s form, sent from here, changes neither line', async () => {
    ordered(await house.order('resume', host.ontSerial));
    await leaseIn(host, RESIDENTIAL);
    const theirs = await other.httpGet(`${PORTAL}/`);
    assert.ok(theirs.ok);
    const token = /name="token" value="([^"]+)"/.exec(theirs.body)?.[1] ?? '';
    assert.notEqual(token, '');
    const form = `token=${token}&offer=home-max`;
    const { stdout } = await host.run([
      'curl',
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-d',
      form,
      `${PORTAL}/activate`,
    ]);
    assert.equal(stdout, '403');
    assert.equal((await house.session(other.ontSerial))?.state, 'wgar');
    assert.equal((await house.session(host.ontSerial))?.service_id, 'home-100');
  });

  it('without JavaScript another subscriber activates as well', async () => {
    const plain = await startBrowserAt(other);
    try {
      const bare = await plain.newContext({ javaScriptEnabled: false, locale: 'de-DE', viewport: PHONE });
      const theirs = await bare.newPage();
      await theirs.goto('http://news.example/');
      await theirs.getByRole('button', { name: 'Freischalten: Zuhause Max' }).click();
      assert.equal(await theirs.locator('h1').innerText(), 'Ihr Anschluss wird freigeschaltet');
      assert.equal(await theirs.locator('meta[http-equiv=refresh]').count(), 1);
      await leaseIn(other, RESIDENTIAL);
      await theirs.goto(`${PORTAL}/`);
      assert.equal(await theirs.locator('h1').innerText(), 'Ihr Anschluss ist freigeschaltet');
    } finally {
      await plain.close();
    }
  });
});

async function checkFrom(
  host: OntHost,
  name: string,
  path: string,
): Promise<{ readonly status: string; readonly redirect: string; readonly body: string }> {
  const { stdout, stderr } = await host.run([
    'curl',
    ...['-sS', '--noproxy', '*', '-m', '5', '-w', '\n%{http_code} %{redirect_url}'],
    ...['--resolve', `${name}:80:${CORE_ADDRESSES.internet}`, `http://${name}${path}`],
  ]);
  const end = stdout.lastIndexOf('\n');
  const [status = '', redirect = ''] = stdout.slice(end + 1).split(' ');
  assert.equal(stderr, '');
  return { status, redirect, body: stdout.slice(0, end) };
}
