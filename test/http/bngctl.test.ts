/** bngctl as operators run it: the built program against the API on a loopback socket. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildApi } from '../../src/http/api.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { apiOptions, FakeBng, makeSession, makeUsage, traffic } from './fake-bng.js';
import { radiusReport } from './radius-figures.js';

const PROGRAM = fileURLToPath(new URL('../../src/bin/bngctl.js', import.meta.url));
const TOKEN = 'correct-horse-battery';
const DEADLINE_MS = 20_000;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { timeout: DEADLINE_MS }, (error, out, err) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err }),
    );
  });
}

interface Lab {
  readonly bng: FakeBng;
  readonly connection: readonly string[];
  readonly bngctl: (...args: string[]) => Promise<Ran>;
}

async function withBng(act: (lab: Lab) => Promise<void>): Promise<void> {
  const bng = new FakeBng();
  bng.list.push(
    makeSession(),
    makeSession({
      id: 'session-2',
      ontSerial: 'SIMU00000002',
      state: 'active',
      address: parseIpv4('10.0.0.9'),
      profile: {
        serviceId: 'residential-100',
        poolName: 'isp-residential',
        walled: false,
        downloadBitsPerSecond: 100_000_000,
        uploadBitsPerSecond: 20_500_000,
      },
    }),
  );
  const folder = mkdtempSync(join(tmpdir(), 'bngctl-test-'));
  const app = buildApi(apiOptions(bng, { token: TOKEN }));
  try {
    const tokenFile = join(folder, 'api.token');
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const connection = ['--url', `http://127.0.0.1:${port}`, '--token-file', tokenFile];
    await act({ bng, connection, bngctl: (...args) => run([...connection, ...args]) });
  } finally {
    await app.close();
    rmSync(folder, { recursive: true });
  }
}

test('sessions prints an aligned table without colours when not on a terminal, narrowed by --state', async () => {
  await withBng(async ({ bngctl }) => {
    const all = await bngctl('sessions');
    assert.deepEqual([all.code, all.err], [0, '']);
    assert.equal(
      all.out,
      [
        'ONT           STATE   ADDRESS      LEASE  POOL             DOWN         UP  LINE   SINCE',
        'SIMU00000001  wgar    10.255.0.10  bound  wgar               1M  unlimited  100.7  2026-01-02 03:04:05Z',
        'SIMU00000002  active  10.0.0.9     bound  isp-residential  100M      20.5M  100.7  2026-01-02 03:04:05Z',
        '2 sessions',
        '',
      ].join('\n'),
    );
    const active = await bngctl('sessions', '--state', 'active');
    assert.match(active.out, /SIMU00000002[^]*\n1 session\n/);
    assert.doesNotMatch(active.out, /SIMU00000001/);
    assert.equal((await bngctl('sessions', '--state', 'suspended')).out, 'no sessions\n');
  });
});

test('sessions --json follows the cursor to the end', async () => {
  await withBng(async ({ bng, bngctl }) => {
    for (let i = 3; i <= 1500; i++) bng.list.push(makeSession({ id: `session-${i}`, ontSerial: `ONT${i}` }));
    const { out } = await bngctl('--json', 'sessions');
    assert.equal((JSON.parse(out) as { sessions: unknown[] }).sessions.length, 1500);
  });
});

test('session shows everything with its counters, by ONT, address or id', async () => {
  await withBng(async ({ bng, bngctl }) => {
    bng.installed.set(parseIpv4('10.0.0.9'), traffic(1_234_500n, 900n));
    for (const key of ['SIMU00000002', '10.0.0.9', 'session-2']) {
      const { code, out } = await bngctl('session', key);
      assert.equal(code, 0);
      assert.match(out, /^state {9}active since 2026-01-02 03:04:05Z$/m);
      assert.match(out, /^upstream {6}1.2MB \(1234500 bytes, 12345 packets\)$/m);
      assert.match(out, /^downstream {4}900B \(900 bytes, 9 packets\)$/m);
    }
    const json = await bngctl('session', '10.0.0.9', '--json');
    assert.equal((JSON.parse(json.out) as { id: string }).id, 'session-2');
  });
});

test('a suspended session shows why, whoever wrote the reason', async () => {
  await withBng(async ({ bng, bngctl }) => {
    bng.list.push(makeSession({ id: 'held', state: 'suspended', suspendedFor: 'unpaid\u001b[2J' }));
    const { out } = await bngctl('session', 'held');
    assert.match(out, /^suspended for unpaid\ufffd\[2J$/m);
    const json = await bngctl('--json', 'session', 'held');
    assert.equal((JSON.parse(json.out) as { suspended_for: string }).suspended_for, 'unpaid\u001b[2J');
    assert.doesNotMatch((await bngctl('session', 'session-2')).out, /suspended for/);
  });
});

test('a serial with control characters cannot steer the terminal', async () => {
  await withBng(async ({ bng, bngctl }) => {
    bng.list.push(makeSession({ id: 'evil', ontSerial: '\u001b[2J\u0007x' }));
    for (const args of [['sessions'], ['session', 'evil']]) {
      const { out } = await bngctl(...args);
      assert.doesNotMatch(out, /[\u001b\u0007]/);
    }
  });
});

test('pools show a bar, drops what was counted, health its checks', async () => {
  await withBng(async ({ bng, bngctl }) => {
    const pools = await bngctl('pools');
    assert.match(pools.out, /^wgar +█{3}░{17} +12\.5% +10\.255\.0\.0\/16 +1000 +125 +874 +1 +open$/m);
    bng.usages = [makeUsage('wgar'), makeUsage('isp', { drain: 'keep', held: 126 })];
    bng.groupList = [{ name: 'home', pools: ['isp'] }];
    const draining = (await bngctl('pools')).out;
    assert.match(draining, /^wgar .* 874 +1 +- +open$/m);
    assert.match(draining, /^isp .* 1000 +125 +0 +1 +home +draining$/m);
    bng.usages = [makeUsage('isp', { drain: 'keep', allocated: 0, held: 0 })];
    assert.match((await bngctl('pools')).out, /^isp .* home +drained$/m);
    bng.dropTable['garden'] = 12n;
    const drops = await bngctl('drops');
    assert.match(drops.out, /^VERDICT: none$/m);
    assert.match(drops.out, /^garden +12$/m);
    assert.doesNotMatch(drops.out, /malformed/);
    const healthy = await bngctl('health');
    assert.deepEqual([healthy.code, healthy.out.split('\n')[0]], [0, 'ready']);
    bng.checks.push({ name: 'radius', ok: false, detail: 'no server answers' });
    const sick = await bngctl('health');
    assert.equal(sick.code, 1);
    assert.match(sick.out, /^not ready\n[^]*^radius +NO +no server answers$/m);
    assert.match((await bngctl('health', '--json')).out, /"ok":false/);
  });
});

test('radius shows servers, what was ignored and why, the queue with its alarms, and CoA', async () => {
  await withBng(async ({ bng, bngctl }) => {
    bng.radius = radiusReport;
    const { code, out, err } = await bngctl('radius');
    assert.deepEqual([code, err], [0, '']);
    for (const line of [
      /^authentication: radius, accounting: radius$/m,
      /^SERVER +ROLE +STATE +IN FLIGHT +REQUESTS +RESENT +MEAN +P50 +P99 +OUTCOMES$/m,
      /^192\.0\.2\.7:1812 +auth +alive +3 +40 +6 +250\.0ms +208\.0ms +1\.00s +access-accept 30, access-reject 5, no-answer 2$/m,
      /^192\.0\.2\.7:1813 +acct +dead +1 +11 +13 +- +- +- +no-answer 12$/m,
      /^ignored from 192\.0\.2\.7:1812: 7 × missing-message-authenticator: answers can be forged$/m,
      /^acct +17 +18 +19$/m,
      /^unknown attributes +25$/m,
      /^waiting +27 \(29 in flight, 28 not in the store yet\)$/m,
      /^oldest +30\.5 s$/m,
      /^dropped +33 superseded interims, 34 unsendable, 35 damaged$/m,
      /^ALARM: no accounting server answers$/m,
      /^192\.0\.2\.8 +CoA-Request +42 +ack 43, SessionContextNotFound 44$/m,
      /^dropped from 192\.0\.2\.8: malformed 46$/m,
      /^from addresses of no client: 36 datagrams$/m,
    ]) {
      assert.match(out, line);
    }
    const json = await bngctl('--json', 'radius');
    const body = JSON.parse(json.out) as { servers: { round_trip: { p50_ms: number } }[] };
    assert.equal(body.servers[0]?.round_trip.p50_ms, 208);
  });
});

test('radius in local mode says so; health tells degraded from not ready', async () => {
  await withBng(async ({ bng, bngctl }) => {
    const { code, out } = await bngctl('radius');
    assert.deepEqual(
      [code, out],
      [0, 'authentication: local, accounting: log\n\nno RADIUS server is in use\n\naccounting queue: none\n'],
    );
    bng.checks.push({ name: 'radius', ok: true, degraded: true, detail: 's1 (auth) is dead' });
    const health = await bngctl('health');
    assert.equal(health.code, 0);
    assert.match(health.out, /^ready, degraded\n[^]*^radius +degraded +s1 \(auth\) is dead$/m);
  });
});

test('orders reach the BNG with rates in words, and say what changed', async () => {
  await withBng(async ({ bng, bngctl }) => {
    const activation = ['--pool', 'isp-residential', '--service', 'gold', '--down', '1.5G', '--up', '100M'];
    const activated = await bngctl('activate', 'SIMU00000001', ...activation);
    assert.deepEqual([activated.code, activated.out], [0, 'SIMU00000001: wgar → activating: done\n']);
    assert.deepEqual(bng.orders[0]?.order, {
      ontSerial: 'SIMU00000001',
      serviceId: 'gold',
      poolName: 'isp-residential',
      downloadBitsPerSecond: 1_500_000_000,
      uploadBitsPerSecond: 100_000_000,
    });
    assert.equal((await bngctl('suspend', 'SIMU00000002', '--reason', 'unpaid')).code, 0);
    assert.deepEqual(bng.orders[1]?.order, { ontSerial: 'SIMU00000002', reason: 'unpaid' });
    assert.equal((await bngctl('resume', 'SIMU00000002')).code, 0);
    assert.equal((await bngctl('terminate', 'SIMU00000002')).code, 0);
  });
});

test('a refusal is one line on stderr and exit code 1', async () => {
  await withBng(async ({ bngctl }) => {
    for (const [args, text] of [
      [['suspend', 'SIMU00000001'], /does not allow it: suspend is not possible now \[state:wgar\]/],
      [['terminate', 'NOBODY'], /NOBODY/],
      [['session', 'NOBODY'], /No session matches/],
      [['--token-file', PROGRAM.replace(/bngctl\.js$/, 'none'), 'pools'], /secret file/],
    ] as const) {
      const { code, out, err } = await bngctl(...args);
      assert.equal(out, '');
      assert.match(err, /^bngctl: [^\n]+\n$/);
      assert.match(err, text);
      assert.equal(code, args[0] === '--token-file' ? 2 : 1, err);
    }
    const json = await bngctl('--json', 'suspend', 'SIMU00000001');
    assert.equal((JSON.parse(json.err) as { state: string }).state, 'wgar');
  });
});

test('a wrong token is a refusal that says so', async () => {
  await withBng(async ({ connection }) => {
    const folder = mkdtempSync(join(tmpdir(), 'bngctl-test-'));
    try {
      const tokenFile = join(folder, 'token');
      writeFileSync(tokenFile, 'wrong', { mode: 0o600 });
      const { code, err } = await run([...connection, '--token-file', tokenFile, 'pools']);
      assert.deepEqual([code, err.includes('bearer token')], [1, true], err);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('a wrong command line is exit code 2, help is 0 and lists the exit codes', async () => {
  for (const args of [
    [],
    ['nonsense'],
    ['session'],
    ['sessions', '--state', 'online'],
    ['activate', 'X', '--pool', 'p', '--service', 's', '--down', '10 apples', '--up', '1M'],
    ['activate', 'X', '--pool', 'p'],
    ['--url', 'ftp://x', 'pools'],
    ['--url', 'nonsense', 'pools'],
  ]) {
    const { code, err } = await run(args);
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
    assert.notEqual(err, '');
  }
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  for (const code of [0, 1, 2, 3]) assert.match(help.out, new RegExp(`^ {2}${code}  `, 'm'));
});

test('a BNG that cannot be reached is exit code 3, whether nothing listens or what listens hangs up', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hangsUp = await run(['--url', url, 'pools']);
  assert.equal(hangsUp.code, 3, hangsUp.err);
  await new Promise((resolve) => server.close(resolve));
  for (const command of ['pools', 'events', 'health']) {
    const { code, err } = await run(['--url', url, command]);
    assert.equal(code, 3);
    assert.equal(err, `bngctl: the BNG cannot be reached at ${url}: ECONNREFUSED\n`);
  }
});

test('events follows the stream line by line and ends with exit code 3 when the BNG goes', async () => {
  await withBng(async ({ bng, connection }) => {
    const child = spawn(process.execPath, [PROGRAM, ...connection, 'events', '--follow']);
    try {
      let out = '';
      const seen = new Promise<void>((resolve) => {
        child.stdout.on('data', (bytes) => {
          out += String(bytes);
          if (out.includes('\n')) resolve();
        });
      });
      // The stream is live only: tell until the child has heard one.
      const telling = setInterval(() => bng.tellStateChange('wgar', 'active', 5), 50);
      await seen;
      clearInterval(telling);
      assert.match(out, /^2026-01-02 03:04:05Z state-changed +SIMU00000001 +wgar → active\n/);
    } finally {
      child.kill();
    }
  });
});
