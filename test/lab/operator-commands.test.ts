/** bngctl over the unix socket of a living BNG: the kernel read back, live views, orders, terminals, and a BNG that is gone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { BngAbiVersion } from '../../src/dataplane/abi.js';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { exec } from '../../src/lab/exec.js';
import type { ExecResult } from '../../src/lab/exec.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { patience } from '../../src/lab/patience.js';
import {
  GARDEN,
  House,
  leaseIn,
  MOVE_DEADLINE_MS,
  ordered,
  RESIDENTIAL,
  until,
} from '../support/lab-house.js';

const ACTIVE = 'OPC00000001';
const WALLED = 'OPC00000002';
const BNGCTL = labProgram('../bin/bngctl.js');
const PROBLEM = 15_000;

interface Parsed {
  readonly [field: string]: unknown;
}

describe('bngctl over the unix socket', { timeout: 120_000 }, () => {
  let house: House;
  let active: OntHost;
  let walled: OntHost;
  let activeAddress: string;
  let walledAddress: string;

  before(async () => {
    house = await House.start({ prefix: 'l1o' });
    const hosts = await house.plugAll([
      { ontSerial: ACTIVE, port: '1/1/1', tagging: 'qinq', cVlan: 5, client: 'dhclient' },
      { ontSerial: WALLED, port: '1/1/2', tagging: 'untagged', client: 'udhcpc' },
    ]);
    [active, walled] = [hosts[0]!, hosts[1]!];
    walledAddress = (await leaseIn(walled, GARDEN)).address;
    await leaseIn(active, GARDEN);
    ordered(await house.activate(ACTIVE));
    activeAddress = (await leaseIn(active, RESIDENTIAL)).address;
    assert.equal((await active.ping(CORE_ADDRESSES.internet, { count: 3 })).received, 3);
    assert.equal((await walled.ping(CORE_ADDRESSES.internet, { timeoutMs: 300 })).received, 0);
  });
  after(() => house?.close());

  const socketArguments = (): string[] => ['--socket', house.lab.paths.apiSocket];

  function bngctl(...args: string[]): Promise<ExecResult> {
    return exec([process.execPath, BNGCTL, ...socketArguments(), ...args], { timeoutMs: PROBLEM * patience });
  }

  async function text(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await bngctl(...args);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stderr, '');
    return stdout;
  }

  async function json(...args: string[]): Promise<Parsed> {
    return JSON.parse(await text('--json', ...args)) as Parsed;
  }

  /** Lines of a command that goes on; `stop` ends it. */
  function follow(...args: string[]): { readonly lines: string[]; readonly stop: () => void } {
    const child = spawn(process.execPath, [BNGCTL, ...socketArguments(), ...args]);
    const lines: string[] = [];
    let rest = '';
    child.stdout.on('data', (bytes) => {
      const parts = `${rest}${String(bytes)}`.split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
    return { lines, stop: () => void child.kill() };
  }

  it('the socket is for its owner alone, and root needs no token', async () => {
    assert.equal(statSync(house.lab.paths.apiSocket).mode & 0o777, 0o600);
    assert.match(await text('sessions'), /2 sessions$/);
  });

  it('subscribers shows what maps and nftables hold, and that they agree', async () => {
    const table = await text('subscribers');
    assert.match(table, new RegExp(`^${activeAddress} +[0-9a-f:]{17} +200\\.5 +open +100M +50M `, 'm'));
    assert.match(table, new RegExp(`^${walledAddress} +[0-9a-f:]{17} +untagged +walled `, 'm'));
    const { subscribers } = await json('subscribers');
    const byAddress = new Map((subscribers as Parsed[]).map((entry) => [entry['address'], entry]));
    assert.equal(byAddress.get(walledAddress)?.['garden_member'], true);
    assert.ok(Number(byAddress.get(activeAddress)?.['upstream_packets']) >= 3);
  });

  it('every map of the dataplane can be read and is decoded, not dumped', async () => {
    const { maps } = await json('maps');
    const names = (maps as Parsed[]).map((map) => String(map['name']));
    assert.ok(names.includes('bng_subscribers') && names.includes('bng_garden'));
    for (const name of names) {
      const { entries } = await json('map', name);
      assert.ok(Array.isArray(entries), name);
    }
    const stored = await text('map', 'bng_subscribers');
    assert.match(
      stored,
      /^KEY +ADDRESS +IFINDEX +MAC +FLAGS +S_VLAN +C_VLAN +S_TPID +C_TPID +UPSTREAM +DOWNSTREAM +UPSTREAM_TAT +DOWNSTREAM_TAT$/m,
    );
    assert.match(
      stored,
      new RegExp(`^ +\\d+ +${activeAddress} +\\d+ +[0-9a-f:]{17} +- .* 200 +5 +0x88a8 +0x8100 +50M/`, 'm'),
    );
    assert.match(stored, new RegExp(`^ +\\d+ +${walledAddress} .* walled +`, 'm'));
    assert.match(await text('map', 'bng_verdicts'), /^forward_up +[1-9]/m);
    assert.match(
      await text('map', 'bng_garden'),
      new RegExp(`^ +32 +${CORE_ADDRESSES.gardenAllowed} +any`, 'm'),
    );
    const unknown = await bngctl('map', 'bng_nothing');
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /No map is bng_nothing; there are .*bng_drops, /);
  });

  it('session tells lease, profile, counters, AAA, the kernel entry as dumped, and the last events', async () => {
    const mac = String(((await json('session', ACTIVE))['attachment'] as Parsed)['mac']);
    for (const key of [ACTIVE, activeAddress, mac, 'agg-01|1/1/1']) {
      const shown = await text('session', key);
      assert.match(shown, new RegExp(`^ont +${ACTIVE}$`, 'm'), key);
      assert.match(shown, /^authentication accepted at /m);
      assert.match(shown, /^accounting +[0-9a-f]+-[0-9a-f]+ since /m);
      assert.match(
        shown,
        /^bng_subscribers address [0-9.]+, ifindex \d+, mac [0-9a-f:]{17}, flags -, s_vlan 200, c_vlan 5, .*\nbng_addresses +slot \d+$/m,
      );
      assert.match(shown, /^nftables +no garden member$/m);
      assert.match(shown, new RegExp(`lease-bound +${ACTIVE} +${activeAddress} isp-residential$`, 'm'));
    }
  });

  it('nft shows the table, leases who holds which address until when, counters the sums', async () => {
    const rules = await text('nft');
    assert.match(rules, /^table inet bng \{/);
    assert.doesNotMatch(rules, new RegExp(`elements = .*${walledAddress.replaceAll('.', '\\.')}`));
    assert.match(await text('nft', '--members'), new RegExp(`elements = \\{ ${walledAddress} \\}`));
    const leases = await text('leases', '--sort', 'address');
    assert.match(
      leases,
      new RegExp(`^${activeAddress} +${ACTIVE} [^\\n]*\\n${walledAddress} +${WALLED} `, 'm'),
    );
    const { sessions, installed } = await json('counters');
    assert.deepEqual([(sessions as Parsed)['active'], (sessions as Parsed)['wgar'], installed], [1, 1, 2]);
    assert.match(await text('radius'), /^authentication: local/);
  });

  it('sessions can be narrowed, sorted and given other columns', async () => {
    const sorted = await text('sessions', '--sort', '-down', '--columns', 'mac,ont');
    assert.match(
      sorted,
      new RegExp(`^MAC +ONT\\n[0-9a-f:]{17} +OPC0000000[12]\\n[0-9a-f:]{17} +OPC0000000[12]\\n2`),
    );
    assert.match(await text('sessions', '--match', activeAddress), new RegExp(`${ACTIVE}[^]*\\n1 session$`));
    assert.equal(await text('sessions', '--pool', 'isp-business'), 'no sessions');
    assert.equal((await bngctl('sessions', '--columns', 'colour')).exitCode, 2);
  });

  it('top finds who carries traffic', async () => {
    const ping = active.ping(CORE_ADDRESSES.internet, { count: 15, timeoutMs: 1_000 });
    const { talkers } = await json('top', '--once', '--limit', '1');
    await ping;
    const [first] = talkers as Parsed[];
    assert.equal(first?.['ont_serial'], ACTIVE);
    assert.match(await text('top', '--once'), /^ONT +ADDRESS +IN bit\/s +OUT bit\/s/);
  });

  it('trace tells each message of one line with its verdict, from before its session on, and nothing of others', async () => {
    const traced = follow('trace', 'OPC00000009');
    const seen = (pattern: RegExp) => () => traced.lines.find((line) => pattern.test(line)) ?? null;
    const told = (what: string) => () => `${what}: ${traced.lines.join('\n')}`;
    try {
      await until('the trace begins', PROBLEM, () => (traced.lines.length > 0 ? true : null));
      assert.match(traced.lines[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} start +no session of OPC00000009 yet$/);
      await house.plugAll([
        { ontSerial: 'OPC00000009', port: '1/1/9', tagging: 'untagged', client: 'udhcpc' },
      ]);
      await until(told('an offer'), MOVE_DEADLINE_MS, seen(/ dhcp +DHCPDISCOVER, .*→ DHCPOFFER /));
      await until(told('an ACK'), MOVE_DEADLINE_MS, seen(/ dhcp +DHCPREQUEST \(selecting\), .*→ DHCPACK /));
      await until(told('the lease'), MOVE_DEADLINE_MS, seen(/ session +lease-bound, address 10\.255\./));
      assert.ok(!traced.lines.some((line) => line.includes(ACTIVE)), traced.lines.join('\n'));
    } finally {
      traced.stop();
    }
    await house.lab.unplug('OPC00000009');
    await until('its session ends', MOVE_DEADLINE_MS, async () =>
      (await house.session('OPC00000009')) === null ? true : null,
    );
  });

  it('trace samples frames with their verdicts and counts each second, and hears of renewals that XDP answers', async () => {
    const traced = follow('trace', WALLED);
    const seen = (pattern: RegExp) => () => traced.lines.find((line) => pattern.test(line)) ?? null;
    const told = (what: string) => () => `${what}: ${traced.lines.join('\n')}`;
    try {
      await until('the trace begins', PROBLEM, () => (traced.lines.length > 0 ? true : null));
      await walled.askAgain();
      await walled.ping(CORE_ADDRESSES.internet, { count: 2, timeoutMs: 300 });
      await until(told('the renewal'), MOVE_DEADLINE_MS, seen(/ session +lease-renewed, address 10\.255\./));
      await until(told('drops'), MOVE_DEADLINE_MS, seen(/ dataplane dropped, all lines: .*garden \d/));
      const refused = new RegExp(
        ` frame +upstream ICMP ${walledAddress} > ${CORE_ADDRESSES.internet}, \\d+ bytes: drop, garden$`,
      );
      await until(told('the refused ping'), MOVE_DEADLINE_MS, seen(refused));
    } finally {
      traced.stop();
    }
    const asJson = follow('--json', 'trace', ACTIVE);
    try {
      await until('the trace begins', PROBLEM, () => (asJson.lines.length > 0 ? true : null));
      await active.ping(CORE_ADDRESSES.internet, { count: 2 });
      const frames = (): Parsed[] =>
        asJson.lines.flatMap((line) => {
          const { frame } = JSON.parse(line) as { readonly frame?: Parsed };
          return frame === undefined ? [] : [frame];
        });
      for (const verdict of ['forward_up', 'forward_down']) {
        const frame = await until(
          verdict,
          PROBLEM,
          () => frames().find((f) => f['verdict'] === verdict) ?? null,
        );
        assert.equal(frame[verdict === 'forward_up' ? 'source' : 'destination'], activeAddress);
      }
    } finally {
      asJson.stop();
    }
    const untraced = async (): Promise<true | null> =>
      ((await json('map', 'bng_trace'))['entries'] as Parsed[]).length === 0 ? true : null;
    await until('nothing is traced when the tracers are gone', PROBLEM, untraced);
  });

  it('orders are carried out and events tells them, past ones and live', async () => {
    const followed = follow('events', '--follow');
    try {
      await until('the events begin', PROBLEM, () => (followed.lines.length > 0 ? true : null));
      assert.match(await text('suspend', ACTIVE, '--reason', 'unpaid'), /^OPC00000001: active → suspended: /);
      await until(
        () => `the suspension: ${followed.lines.join('\n')}`,
        PROBLEM,
        () =>
          followed.lines.find((line) => /state-changed +OPC00000001 +active → suspended/.test(line)) ?? null,
      );
    } finally {
      followed.stop();
    }
    assert.match(await text('events'), /session-created +OPC00000002/);
    assert.match(await text('resume', ACTIVE), /^OPC00000001: suspended → activ/);
    await leaseIn(active, RESIDENTIAL);
  });

  it('drain lets no new session begin until it is switched off', async () => {
    assert.match(await text('drain'), /^draining: no new session begins, 2 are left$/);
    assert.match(await text('health'), /^ready, degraded\n[^]*^draining +degraded +no new session begins$/m);
    const late = await house.lab.plug({
      ontSerial: 'OPC00000003',
      port: '1/1/3',
      tagging: 'untagged',
      client: 'udhcpc',
    });
    assert.equal(await house.session('OPC00000003'), null);
    assert.equal(await text('drain', '--off'), 'sessions begin again');
    await leaseIn(late, GARDEN);
  });

  it('reload reads the same file again and says that nothing has changed', async () => {
    assert.equal(await text('reload'), 'nothing has changed');
  });

  it('in a terminal tables have colours and fit its width; NO_COLOR takes the colours', async () => {
    const inTerminal = async (columns: number, environment: string): Promise<string[]> => {
      const command = [process.execPath, BNGCTL, ...socketArguments(), 'sessions'].join(' ');
      const script = `stty cols ${columns} rows 24; ${environment} ${command}`;
      const { stdout, exitCode } = await exec(['script', '-qec', script, '/dev/null'], {
        timeoutMs: PROBLEM * patience,
      });
      assert.equal(exitCode, 0, stdout);
      return stdout.replaceAll('\r', '').split('\n');
    };
    for (const columns of [48, 200]) {
      const lines = await inTerminal(columns, '');
      assert.match(lines.join('\n'), /\u001b\[33mwgar/);
      const plain = lines.map((line) => line.replace(/\u001b\[[0-9]+m/g, ''));
      const shown = plain.filter((line) => !line.startsWith('bngctl:'));
      assert.ok(
        shown.every((line) => line.length <= columns),
        shown.join('\n'),
      );
      assert.equal(
        plain.some((line) => line.includes('SINCE')),
        columns === 200,
      );
      assert.equal(
        plain.some((line) => /^bngctl: no room for \d more columns/.test(line)),
        columns === 48,
      );
    }
    assert.doesNotMatch((await inTerminal(200, 'NO_COLOR=1')).join('\n'), /\u001b\[/);
  });

  it('a wrong token, an unknown ONT and an unknown command have their exit codes', async () => {
    const wrong = await house.bng.probe.run(
      [
        'sh',
        '-c',
        `umask 077; echo wrong >"$1"; exec "$2" "$3" --token-file "$1" pools`,
        'sh',
        `${house.lab.paths.directory}/wrong.token`,
        process.execPath,
        BNGCTL,
      ],
      PROBLEM,
    );
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.stderr, /bearer token is not the right one/);
    assert.equal((await bngctl('suspend', 'NOBODY')).exitCode, 1);
    assert.equal((await bngctl('nonsense')).exitCode, 2);
  });

  it('when the BNG is gone maps and nftables can still be read, and everything else is exit code 3', async () => {
    await house.bng.process.stop();
    const pins = `${house.lab.paths.bpffsDirectory}/bng/v${BngAbiVersion.version}/maps`;
    const subscribers = await text('subscribers', '--pins', pins);
    assert.match(subscribers, new RegExp(`^${walledAddress} +[0-9a-f:]{17} +untagged +walled `, 'm'));
    assert.match(await text('map', 'bng_verdicts', '--pins', pins), /^forward_up +[1-9]/m);
    const command = [process.execPath, BNGCTL, ...socketArguments(), 'nft', '--members'];
    const rules = await house.bng.probe.run(command, PROBLEM * patience);
    assert.deepEqual([rules.exitCode, rules.stderr], [0, 'bngctl: no BNG answers; read with nft']);
    assert.match(rules.stdout, new RegExp(`elements = \\{[^}]*${walledAddress}`));
    const { exitCode, stderr } = await bngctl('sessions');
    assert.equal(exitCode, 3);
    assert.match(stderr, /^bngctl: the BNG cannot be reached at \S+bng\.sock: ENOENT$/);
  });
});
