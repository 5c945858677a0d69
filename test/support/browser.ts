/** A real Chromium in a namespace, for tests that look at pages as a subscriber does. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
/** Nothing of Chromium's own goes out, or it would wait for servers that no test has. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.1 levels A and AA. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];

export interface BrowserOptions {
  readonly namespace: string;
  /** For its profile and its resolv.conf. */
  readonly directory: string;
  readonly nameserver: string;
}

/** Starts a browser whose packets and name queries leave from `namespace`. */
export async function startBrowser({ namespace, directory, nameserver }: BrowserOptions): Promise<Browser> {
  const home = join(directory, 'browser');
  const resolver = join(home, 'resolv.conf');
  const launcher = join(home, 'chromium');
  mkdirSync(home, { recursive: true });
  writeFileSync(resolver, `nameserver ${nameserver}\n`);
  writeFileSync(
    launcher,
    `#!/bin/sh
export HOME='${home}'
exec nsenter --net=/run/netns/${namespace} unshare --mount sh -c '
mount --bind ${resolver} /etc/resolv.conf && exec ${CHROMIUM} "$@"' chromium "$@"
`,
    { mode: 0o755 },
  );
  return chromium.launch({ executablePath: launcher, args: FLAGS, headless: true });
}

/** Starts a browser where the test itself is. `directory` is for its profile. */
export async function startBrowserHere(directory: string): Promise<Browser> {
  const env = { ...process.env, HOME: directory };
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS, headless: true, env });
}

/** What the page's own security policy forbade, and errors that nothing caught; empty while all is well. */
export async function watchForTrouble(page: Page): Promise<readonly string[]> {
  const trouble: string[] = [];
  await page.exposeFunction('tellTrouble', (text: string) => void trouble.push(text));
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) => tellTrouble('policy: ' + event.violatedDirective + ' ' + event.blockedURI))`,
  );
  page.on('pageerror', (error) => void trouble.push(`error: ${error.message}`));
  return trouble;
}

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe-core finds on the page: fails on everything serious or critical. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  // Through the debugger, since the page's own policy allows no foreign script.
  await page.evaluate(AXE);
  // A colour on its way to another is neither: another scheme was asked for a moment ago.
  await page.evaluate(
    'Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => undefined)))',
  );
  const found: { readonly violations: readonly Finding[]; readonly passes: readonly unknown[] } =
    await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`);
  assert.ok(found.passes.length > 10, `${what}: axe looked at nothing`);
  const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(
    serious.map(({ id, help, nodes }) => ({ id, help, nodes })),
    [],
    what,
  );
}
