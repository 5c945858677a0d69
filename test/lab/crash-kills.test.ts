/**
 * The real `bng run`, killed again and again while fifty subscribers lease, are activated, renew, send, and leave: each kill at
 * another point of what it does. BNG_CRASH_KILLS sets how many (`make test-crash`: 210).
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { patience } from '../../src/lab/patience.js';
import type { RadiusServer } from '../../src/lab/radius-server.js';
import { detailValue } from '../../src/lab/radius-server.js';
import { Crowd } from '../support/crowd.js';
import { FreeRadius } from '../support/freeradius.js';
import { startEcho } from './dataplane-holder.js';
import { enterNamespaces, makeVeth, run, runIn, until, pass } from './dataplane-world.js';

const BNG = 'crash-bng';
const SUBSCRIBERS = 'crash-sub';
const CORE = 'crash-core';
enterNamespaces(import.meta.url, [BNG, SUBSCRIBERS, CORE]);

const KILLS = Number(process.env['BNG_CRASH_KILLS'] ?? 7);
const COUNT = 50;
const STAYING = 40;
const INTERNET = '198.51.100.7';
const API = 'http://127.0.0.1:8080/api/v1';
const TOKEN = 'token-of-the-crash-test';
const BNG_PROGRAM = fileURLToPath(new URL('../../src/bin/bng.js', import.meta.url));
const START_MS = 20_000;
const DEED_MS = 4_000;
const LOG_LINES = 4_000;

/** What the BNG is in the middle of when it is killed: so long after the crowd began it, or after it was ready. */
const POINTS = ['discover', 'request', 'activate', 'renew', 'release', 'interim', 'start'] as const;
type Point = (typeof POINTS)[number];

const folder = mkdtempSync(join(tmpdir(), 'bng-crash-'));
const pinPath = `/sys/fs/bpf/crash-${process.pid}`;
let radius: RadiusServer;
let echo: ChildProcess;
let crowd: Crowd;

before(async () => {
  makeVeth('access0', 'sub0');
  makeVeth('core0', 'net0');
  run(`ip link set sub0 netns ${SUBSCRIBERS}; ip link set net0 netns ${CORE}`);
  run('ip link set core0 up; ip addr add 192.0.2.1/24 dev core0; ip route add default via 192.0.2.2');
  run('ip link set access0 up');
  runIn(SUBSCRIBERS, 'ip link set sub0 mtu 1500 promisc on up');
  runIn(
    CORE,
    `ip link set net0 mtu 1500 up; ip addr add 192.0.2.2/24 dev net0; ip addr add ${INTERNET}/32 dev lo;
     ip route add 10.0.0.0/8 via 192.0.2.1`,
  );
  pass.attachIn(SUBSCRIBERS, 'sub0');
  pass.attachIn(CORE, 'net0');
  echo = await startEcho(CORE);
  const users = 'DEFAULT Auth-Type := Accept\n';
  radius = await FreeRadius.start({ users, secret: 'secret-of-the-crash-test' });
});
after(async () => {
  crowd?.close();
  await Life.last?.end('SIGKILL');
  echo?.kill();
  await radius?.close();
  rmSync(folder, { recursive: true, force: true });
});

function configFile(fastDhcp: boolean): string {
  const file = join(folder, `bng-${fastDhcp}.yaml`);
  const tokenFile = join(folder, 'token');
  const secretFile = join(folder, 'secret');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  writeFileSync(secretFile, 'secret-of-the-crash-test\n', { mode: 0o600 });
  const pool = { dns: ['8.8.8.8'], leaseTime: '600s' };
  const { address: host, authPort, acctPort } = radius;
  const config = {
    access: { interface: 'access0', xdpMode: 'native', trustOption82: true, fastDhcp },
    core: { interface: 'core0' },
    pools: [
      { name: 'wgar', network: '10.255.0.0/16', gateway: '10.255.0.1', ...pool },
      { name: 'home', network: '10.0.0.0/16', gateway: '10.0.0.1', ...pool },
    ],
    auth: { mode: 'radius', defaultPool: 'wgar' },
    radius: {
      servers: [{ host, authPort, acctPort, secretFile }],
      nasIdentifier: 'bng-crash',
      interimInterval: '1s',
      timers: { initialRetransmit: '500ms' },
    },
    walledGarden: { pool: 'wgar', portal: '10.255.0.1:80', allow: ['203.0.113.10/32'] },
    dataplane: { pinPath },
    api: { listen: '127.0.0.1:8080', tokenFile },
    metrics: { listen: '127.0.0.1:9090' },
    store: { path: join(folder, 'store') },
    log: { level: 'info' },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** One run of the BNG. */
class Life {
  static last: Life | null = null;
  static readonly complaints: string[] = [];
  /** What the last lives have logged, to tell of who had something go wrong. */
  static readonly log: string[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly started: Promise<unknown>;
  stderr = '';

  constructor(file: string, ...more: readonly string[]) {
    const args = [BNG_PROGRAM, 'run', '-c', file, ...more];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#gone = once(this.#child, 'exit');
    Life.last = this;
    this.#child.stderr?.on('data', (text) => (this.stderr += String(text)));
    const lines = createInterface({ input: this.#child.stdout as NonNullable<ChildProcess['stdout']> });
    this.started = new Promise<void>((resolve) =>
      lines.on('line', (line) => {
        if (line.includes('"event":"started"')) resolve();
        Life.log.push(line.slice(0, 600));
        if (Life.log.length > LOG_LINES) Life.log.splice(0, LOG_LINES / 2);
        if (/"level":[56]0/.test(line)) Life.complaints.push(line.slice(0, 600));
      }),
    );
  }

  async ready(): Promise<void> {
    const ended = this.#gone.then(() => assert.fail(`the BNG ended: ${this.stderr}`));
    const late = sleep(START_MS * patience, null, { ref: false }).then(() =>
      assert.fail('not started in time'),
    );
    await Promise.race([this.started, ended, late]);
    ended.catch(() => undefined);
    late.catch(() => undefined);
  }

  async end(signal: NodeJS.Signals | null): Promise<void> {
    if (signal !== null) this.#child.kill(signal);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#gone;
  }
}

async function call(path: string, body?: object): Promise<Record<string, unknown> | null> {
  try {
    const answer = await fetch(`${API}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(5_000),
    });
    return (await answer.json()) as Record<string, unknown>;
  } catch {
    // It was killed.
    return null;
  }
}

async function activate(serial: string): Promise<void> {
  crowd.words.emit('activate');
  const service = { service_id: 'home-100', pool: 'home', qos_download_bps: 0, qos_upload_bps: 0 };
  await call('/activate', { ont_serial: serial, ...service });
}

/** Activates whoever is walled, over and over, until told to stop. */
async function operate(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    for (const serial of crowd.walled) if (!isOver()) await activate(serial);
    await sleep(20);
  }
}

async function stayingSessions(): Promise<ReadonlyMap<string, string>> {
  const page = await call('/sessions?limit=1000');
  const sessions = (page?.['sessions'] ?? []) as { ont_serial: string; id: string }[];
  return new Map(
    sessions.flatMap(({ ont_serial, id }) =>
      Number(ont_serial.slice(5)) < STAYING ? [[ont_serial, id]] : [],
    ),
  );
}

async function reach(point: Point, life: Life): Promise<void> {
  if (point === 'start') return void (await sleep(Math.random() * 900));
  await life.ready();
  if (point === 'interim') return void (await sleep(500 + Math.random() * 400));
  await Promise.race([once(crowd.words, point), sleep(DEED_MS, null, { ref: false })]);
  await sleep(Math.random() * 15);
}

test(`killed ${KILLS} times it loses no packet, no session, no octet, and gives no address twice`, {
  timeout: (120_000 + KILLS * 7_000) * patience,
}, async (t) => {
  const files = [configFile(true), configFile(false)] as const;
  crowd = new Crowd(SUBSCRIBERS, {
    interfaceName: 'sub0',
    gatewayMac: (JSON.parse(run('ip -j link show access0')) as { address: string }[])[0]!.address,
    internet: INTERNET,
    garden: '10.255.0.0/16',
    subscribers: COUNT,
    staying: STAYING,
  });
  const killed: Partial<Record<Point, number>> = {};
  let over = false;
  t.after(() => (over = true));
  let life = new Life(files[0]);
  await life.ready();
  const operator = operate(() => over);
  let first = new Map<string, string>() as ReadonlyMap<string, string>;
  await until(
    'all are served',
    async () => {
      first = await stayingSessions();
      return first.size === STAYING && crowd.walled.size === 0;
    },
    30_000,
  );

  for (let n = 0; n < KILLS; n++) {
    const point = POINTS[n % POINTS.length] ?? 'start';
    await reach(point, life);
    crowd.order('down');
    await life.end('SIGKILL');
    killed[point] = (killed[point] ?? 0) + 1;
    life = new Life(files[n % 2] ?? files[0]);
    void life.started.then(() => crowd.order('up'));
    if (crowd.wrong.length > 0) break;
  }
  await life.ready();
  assert.deepEqual(crowd.wrong.slice(0, 12), [], storyOf(crowd.wrong[0], JSON.stringify(killed)));
  assert.deepEqual(await stayingSessions(), first, 'the sessions of those who stayed are those of before');

  // Everybody's next renewal is answered, and what is under way comes home.
  const renewals = new Map((await crowd.accounts()).map((one) => [one.serial, one.renewals]));
  crowd.order('quiet');
  await until('everybody has a lease of its service', () => crowd.walled.size === 0, 30_000);
  crowd.order('renew');
  await until(
    'everybody renews',
    async () => {
      const now = await crowd.accounts();
      return now.every(
        (one) => one.address.startsWith('10.0.') && one.renewals > (renewals.get(one.serial) ?? 0),
      );
    },
    30_000,
  );
  over = true;
  await operator;
  await until(
    'all is back',
    async () => (await crowd.accounts()).every((a) => a.sent === a.returned + a.lost),
    10_000,
  );
  await life.end('SIGTERM');
  const teardown = new Life(files[0], '--teardown');
  await teardown.end(null);
  assert.equal(teardown.stderr, '');

  const accounts = await crowd.accounts();
  const total = (of: (one: (typeof accounts)[number]) => number): number =>
    accounts.reduce((sum, one) => sum + of(one), 0);
  t.diagnostic(
    JSON.stringify({
      killed,
      sent: total((one) => one.sent),
      lost: total((one) => one.lost),
      leases: total((one) => one.leases),
      renewals: total((one) => one.renewals),
      gardenProbes: total((one) => one.probes),
      complaints: Life.complaints.length,
    }),
  );
  assert.deepEqual(crowd.wrong, []);
  assert.equal(
    total((one) => one.lost),
    0,
  );
  const booked = books();
  const differing = accounts.flatMap(({ serial, octets: sent }) => {
    const { input = 0, output = 0 } = booked.get(serial) ?? {};
    return input === sent && output === sent ? [] : [{ serial, sent, input, output }];
  });
  assert.deepEqual(differing, [], 'octets sent and returned are those that the accounting server has');
  assert.ok(total((one) => one.octets) > 100_000);
  assert.deepEqual(Life.complaints, []);
});

/** What the last lives had to say of the one who had something go wrong. */
function storyOf(wrong: string | undefined, killed: string): string {
  const [serial = ''] = wrong?.split(' ') ?? [];
  const lines = Life.log.filter((line) => line.includes(serial) || /started|restored/.test(line));
  const echoed = runIn(CORE, 'grep ^Udp: /proc/net/snmp');
  return [wrong ?? '', `killed ${killed}`, echoed, ...Life.complaints, ...lines.slice(-60)].join('\n');
}

/** The crowd's stations number their MAC addresses as their serials. */
function serialOf(stationId: string): string {
  const n = Number.parseInt(stationId.replaceAll('"', '').slice(-2), 16);
  return `CRASH${String(n).padStart(7, '0')}`;
}

/** Octets of each subscriber by the Stops of its sessions; what was delivered twice must say the same twice. */
function books(): ReadonlyMap<string, { input: number; output: number }> {
  const stops = new Map<string, { serial: string; input: number; output: number }>();
  const started = new Set<string>();
  for (const record of radius.accounting()) {
    const type = detailValue(record, 'Acct-Status-Type');
    const id = detailValue(record, 'Acct-Session-Id') ?? '';
    if (type === 'Start') started.add(id);
    if (type !== 'Stop') continue;
    const stop = {
      serial: serialOf(detailValue(record, 'Calling-Station-Id') ?? ''),
      input: Number(detailValue(record, 'Acct-Input-Octets')),
      output: Number(detailValue(record, 'Acct-Output-Octets')),
    };
    const before = stops.get(id);
    if (before !== undefined) assert.deepEqual(stop, before, `two Stops of ${id}`);
    stops.set(id, stop);
  }
  assert.deepEqual(
    [...started].filter((id) => !stops.has(id)),
    [],
    'every session that was started was stopped',
  );
  const sums = new Map<string, { input: number; output: number }>();
  for (const { serial, input, output } of stops.values()) {
    const sum = sums.get(serial) ?? { input: 0, output: 0 };
    sums.set(serial, { input: sum.input + input, output: sum.output + output });
  }
  return sums;
}
