/** What an operator sees of a living BNG with bngctl, as text and as JSON. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ExecResult } from '../../src/lab/exec.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import { NamespaceProbe } from '../../src/lab/namespace-probe.js';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { patience } from '../../src/lab/patience.js';
import { GARDEN, House, leaseIn, ordered, RESIDENTIAL, until } from '../support/lab-house.js';

const ACTIVE = 'CTL00000001';
const WALLED = 'CTL00000002';
const BNGCTL = labProgram('../bin/bngctl.js');
type Json = Readonly<Record<string, unknown>>;

describe('bngctl against a living BNG', { timeout: 90_000 }, () => {
  let house: House;
  let activeAddress: string;
  let walledAddress: string;

  before(async () => {
    house = await House.start({ prefix: 'l1f' });
    const [active, walled] = await house.plugAll([
      { ontSerial: ACTIVE, port: '1/1/1', tagging: 'qinq', cVlan: 5, client: 'dhclient' },
      { ontSerial: WALLED, port: '1/1/2', tagging: 'untagged', client: 'udhcpc' },
    ]);
    walledAddress = (await leaseIn(walled!, GARDEN)).address;
    await leaseIn(active!, GARDEN);
    ordered(await house.activate(ACTIVE));
    activeAddress = (await leaseIn(active!, RESIDENTIAL)).address;
    assert.equal((await active!.ping(CORE_ADDRESSES.internet, { count: 3 })).received, 3);
    assert.equal((await walled!.ping(CORE_ADDRESSES.internet, { timeoutMs: 300 })).received, 0);
  });
  after(() => house?.close());

  function bngctlIn(probe: NamespaceProbe, args: readonly string[]): Promise<ExecResult> {
    return probe.run([process.execPath, BNGCTL, ...args], 15_000 * patience);
  }

  function bngctl(...args: string[]): Promise<ExecResult> {
    return bngctlIn(house.bng.probe, ['--token-file', house.bng.tokenFile, ...args]);
  }

  async function text(...args: string[]): Promise<string[]> {
    const { exitCode, stdout, stderr } = await bngctl(...args);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stderr, '');
    return stdout.split('\n');
  }

  async function json(...args: string[]): Promise<Json> {
    return JSON.parse((await text('--json', ...args)).join('\n')) as Json;
  }

  it('sessions lists each line with its state, address, pool, rates and tags', async () => {
    const lines = await text('sessions');
    assert.match(lines[0] ?? '', /^ONT +STATE +ADDRESS +LEASE +POOL +DOWN +UP +LINE +SINCE$/);
    const row = (ont: string): string => lines.find((line) => line.startsWith(ont)) ?? '';
    const active = new RegExp(
      `active +${activeAddress} +bound +isp-residential +100 ?M\\S* +50 ?M\\S* +200\\.5 `,
    );
    assert.match(row(ACTIVE), active);
    assert.match(row(WALLED), new RegExp(`wgar +${walledAddress} +bound +wgar .* untagged `));
    assert.equal(lines.at(-1), '2 sessions');
    assert.equal((await text('sessions', '--state', 'wgar')).at(-1), '1 session');
  });

  it('sessions --json holds what the API lists', async () => {
    const { body } = await house.bng.get('/api/v1/sessions');
    const { sessions } = await json('sessions');
    const key = (list: unknown): unknown[] =>
      (list as Json[]).map((s) => [s['id'], s['ont_serial'], s['state'], s['address']]);
    assert.deepEqual(key(sessions), key(body['sessions']));
    assert.equal(key(sessions).length, 2);
  });

  it('session finds a line by serial, address and id, with the counters of the kernel', async () => {
    const bySerial = await json('session', ACTIVE);
    const traffic = bySerial['traffic'] as Json;
    assert.equal(traffic['address'], activeAddress);
    assert.ok(Number(traffic['upstream_packets']) >= 3 && Number(traffic['downstream_packets']) >= 3);
    for (const key of [activeAddress, String(bySerial['id'])]) {
      assert.equal((await json('session', key))['id'], bySerial['id']);
    }
    const lines = await text('session', ACTIVE);
    assert.ok(lines.some((line) => /^state +active since /.test(line)));
    assert.ok(
      lines.some((line) => line === `address       ${activeAddress} (bound)`),
      lines.join('\n'),
    );
    assert.ok(lines.some((line) => /^upstream +.*bytes, [1-9][0-9]* packets/.test(line)));
    assert.ok(lines.some((line) => /^circuit-id +agg-01\|1\/1\/1$/.test(line)));
  });

  it('a session that is not there is exit code 1 and one line, or a problem as JSON', async () => {
    const plain = await bngctl('session', 'NOBODY');
    assert.equal(plain.exitCode, 1);
    assert.match(plain.stderr, /^bngctl: No session matches: .*NOBODY\.$/);
    assert.equal(plain.stdout, '');
    const asJson = await bngctl('--json', 'session', 'NOBODY');
    assert.equal(asJson.exitCode, 1);
    assert.equal((JSON.parse(asJson.stderr) as Json)['status'], 404);
  });

  it('pools shows who uses what', async () => {
    const lines = await text('pools');
    assert.ok(
      lines.some((line) => /^wgar +█░+ +\d.\d% +10\.255\.0\.0\/16 +\d+ +1 /.test(line)),
      lines.join('\n'),
    );
    assert.ok(lines.some((line) => /^isp-residential +█░+ +\d.\d% +10\.0\.0\.0\/12 +\d+ +1 /.test(line)));
    assert.ok(lines.some((line) => /^isp-business +░+ +0.0% +10\.16\.0\.0\/12 +\d+ +0 /.test(line)));
    const { pools } = await json('pools');
    assert.deepEqual(
      (pools as Json[]).map((pool) => [pool['name'], pool['allocated']]),
      [
        ['wgar', 1],
        ['isp-residential', 1],
        ['isp-business', 0],
      ],
    );
  });

  it('drops names what the garden stopped', async () => {
    const lines = await text('drops');
    assert.ok(
      lines.some((line) => /^forward_up +[1-9]/.test(line)),
      lines.join('\n'),
    );
    assert.ok(
      lines.some((line) => /^garden +[1-9]/.test(line)),
      lines.join('\n'),
    );
    const { drops, verdicts } = (await json('drops')) as Record<string, Record<string, string>>;
    assert.ok(Number(drops?.['garden']) > 0);
    assert.ok(Number(verdicts?.['forward_down']) >= 3);
  });

  it('health says ready, and which mode each port runs in', async () => {
    const lines = await text('health');
    assert.equal(lines[0], 'ready');
    assert.ok(
      lines.some((line) => /^dataplane +yes +access0: native, core0: native$/.test(line)),
      lines.join(),
    );
    assert.ok(lines.some((line) => /^access-node +yes/.test(line)));
    const report = await json('health');
    assert.equal(report['status'], 'ready');
    assert.ok((report['checks'] as Json[]).every((check) => check['ok'] === true));
  });

  it('without a token it is refused with 1, and where no BNG answers it ends with 3', async () => {
    const refused = await bngctlIn(house.bng.probe, ['sessions']);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /token/);
    const core = new NamespaceProbe(house.lab.namespaces.core);
    const unreachable = await bngctlIn(core, ['--token-file', house.bng.tokenFile, 'sessions']);
    assert.equal(unreachable.exitCode, 3);
    assert.match(unreachable.stderr, /^bngctl: the BNG cannot be reached/);
  });

  it('asked to stop by Ctrl-C, which its children hear too, the BNG exits with 0 and ends no session: they go on with its next run', async () => {
    const { process: bng } = house.bng;
    process.kill(-bng.pid!, 'SIGINT');
    await until(
      () => `the BNG stops, its log ends ${bng.logTail()}`,
      10_000,
      () => bng.exit,
    );
    assert.deepEqual(bng.exit, { exitCode: 0, signal: null }, bng.logTail());
    const log = bng.logTail(20_000).split('\n');
    const stopping = log.findIndex((line) => line.includes('"event":"stopping"'));
    const stops = log
      .slice(stopping)
      .filter((line) => /"Acct-Status-Type":"Stop".*"Acct-Terminate-Cause":"NAS-Request"/.test(line));
    assert.equal(stops.length, 0, bng.logTail());
    assert.ok(log.some((line) => line.includes('"event":"stopped"')));
  });
});
