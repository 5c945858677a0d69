/** The Debian package in a clean root under a real systemd: installed, run without root, upgraded, stopped, purged. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { exec } from '../../src/lab/exec.js';
import { pass } from './dataplane-world.js';
import { BootedMachine, unpackRoot } from '../support/booted-machine.js';
import { eventually } from '../support/eventually.js';

// dist/test/lab → the repository
const repository = join(import.meta.dirname, '..', '..', '..');

/** A package of an earlier version to begin with, and to be upgraded from; without it, it is the same build under another version. */
const PREVIOUS = process.env['BNG_PREVIOUS_DEB'];

const CONFIG = `
access: { interface: access0 }
core: { interface: core0 }
pools:
  - { name: wgar, network: 10.255.0.0/16, gateway: 10.255.0.1, dns: [192.0.2.2], leaseTime: 600s }
  - { name: isp, network: 10.1.0.0/16, gateway: 10.1.0.1, dns: [192.0.2.2], leaseTime: 600s }
auth: { mode: local, defaultPool: isp, records: [] }
walledGarden: { pool: wgar, allow: [] }
api: { listen: 127.0.0.1:8080, tokenFile: /etc/bng/api.token }
metrics: { listen: 127.0.0.1:9090 }
store: { path: /var/lib/bng }
`;

/** A line and a core, each in a namespace of the machine. Their ends take what XDP sends, and compute checksums (tx off). */
const NETWORK = `
ip netns add sub; ip netns add core
ip link add access0 type veth peer name eth0 netns sub
ip link add core0 type veth peer name eth0 netns core
ip link set access0 mtu 1508 up; ip link set core0 up
ip addr add 192.0.2.1/24 dev core0
for end in sub core; do
  ip -n $end link set lo up
  ip -n $end link set eth0 mtu 1508 up
  ip netns exec $end ethtool -K eth0 tx off >/dev/null
  ip -n $end link set dev eth0 xdpdrv obj /pass.o sec xdp.frags
done
ip -n core addr add 192.0.2.2/24 dev eth0
ip -n core route add default via 192.0.2.1
`;

/** What a DHCP client's script must do at the least. */
const LEASE_SCRIPT = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
`;

async function mustRun(command: readonly string[], input?: string): Promise<string> {
  const result = await exec(command, { timeoutMs: 120_000, ...(input !== undefined && { input }) });
  assert.equal(result.exitCode, 0, `${command.join(' ')}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

/** The same files in a package of another version: what is built twice takes twice as long. */
const OTHER_VERSION = `
cp "$1" "$2"
dpkg-deb --control "$1" "$3"
sed -i "s/^Version: .*/Version: $4/" "$3/control"
member=$(ar t "$1" | grep '^control[.]')
tar -C "$3" --owner=root --group=root -caf "$member" .
ar r "$2" "$member"
`;

describe('The Debian package', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'bng-package-'));
  const root = join(scratch, 'root');
  let machine: BootedMachine;
  let deb = '';

  before(async () => {
    await unpackRoot(join(repository, 'build/debian-root.tar'), root);
    const script = join(repository, 'scripts/package/build-deb.sh');
    const said = await mustRun([
      'env',
      'VERSION=0.1.0',
      'COMPRESSION=gzip',
      'LEVEL=1',
      `BUILD=${scratch}`,
      script,
    ]);
    deb = said.trim().split('\n').at(-1) ?? '';
    copyFileSync(PREVIOUS ?? deb, join(root, 'bng.deb'));
    copyFileSync(pass.path, join(root, 'pass.o'));
    machine = await BootedMachine.boot(root, scratch);
  });
  after(async () => {
    await machine.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  test('has no error for lintian', async () => {
    const found = await exec(['lintian', '--allow-root', '--fail-on', 'error', deb], { timeoutMs: 120_000 });
    assert.equal(found.exitCode, 0, found.stdout);
  });

  test('installs in a clean root: a user of its own, a token that only that user reads, no service running', async () => {
    await machine.must(['dpkg', '-i', '/bng.deb']);
    assert.match(await machine.must(['stat', '-c', '%U %a', '/etc/bng/api.token']), /^bng 600$/);
    assert.equal((await machine.run(['systemctl', 'is-active', 'bng'])).stdout, 'inactive');
    assert.match(await machine.must(['bng', 'check']), /sound/);
  });

  test('its unit is "OK" for systemd-analyze security', async () => {
    const answer = await machine.must(['systemd-analyze', 'security', '--no-pager', 'bng.service']);
    assert.match(answer, /Overall exposure level for bng\.service: [0-2]\.[0-9] OK/);
  });

  test('its service is up when systemd is told so, as its own user and with five capabilities', async () => {
    await machine.must(['sh', '-euc', NETWORK]);
    await machine.must(['sh', '-c', 'cat >/etc/bng/bng.yaml'], CONFIG);
    await start();
    const pid = await mainPid();
    const status = await machine.must(['cat', `/proc/${pid}/status`]);
    // NET_BIND_SERVICE 10, NET_ADMIN 12, NET_RAW 13, PERFMON 38, BPF 39
    assert.match(status, /^CapEff:\t000000c000003400$/m);
    assert.match(status, /^CapBnd:\t000000c000003400$/m);
    assert.doesNotMatch(status, /^Uid:\t0\t/m);
  });

  test('a subscriber gets a lease and reaches the core through it', async () => {
    await machine.must(
      ['sh', '-c', 'cat >/usr/local/bin/lease; chmod +x /usr/local/bin/lease'],
      LEASE_SCRIPT,
    );
    const inSub = ['ip', 'netns', 'exec', 'sub'];
    await machine.must([
      ...inSub,
      'udhcpc',
      '-i',
      'eth0',
      '-n',
      '-q',
      '-t',
      '10',
      '-T',
      '1',
      '-s',
      '/usr/local/bin/lease',
    ]);
    await machine.must([...inSub, 'ping', '-c', '3', '-i', '0.2', '-W', '2', '192.0.2.2']);
  });

  test('a crash in the middle of traffic costs no packet, and systemd starts the service again', async () => {
    const before = await mainPid();
    const traffic = ping();
    await machine.must(['sh', '-c', `kill -KILL ${before}`]);
    await eventually('another process', async () => {
      const now = await mainPid();
      return now !== 0 && now !== before ? true : null;
    });
    await eventually('the service', async () => ((await isActive()) ? true : null));
    assert.match(await traffic, / 0% packet loss/);
    assert.match(await listing(), /active/);
  });

  test('a reload takes up what has changed in the file, in the same process', async () => {
    const before = await mainPid();
    await machine.must(['sed', '-i', '$ a log: { level: debug }', '/etc/bng/bng.yaml']);
    await machine.must(['systemctl', 'reload', 'bng']);
    await eventually('a log entry of the reload', async () => {
      const log = await machine.must(['journalctl', '--no-pager', '--unit', 'bng', '--output', 'cat']);
      return log.includes('"event":"reloaded"') ? true : null;
    });
    assert.equal(await mainPid(), before);
  });

  test('stopped, it goes on forwarding', async () => {
    await machine.must(['systemctl', 'stop', 'bng']);
    assert.match(await ping(), / 0% packet loss/);
    await start();
  });

  test('a process that stands still is ended by the watchdog and started again', async () => {
    const dropIn = '/run/systemd/system/bng.service.d/watchdog.conf';
    const haste = `mkdir -p ${dropIn.replace('/watchdog.conf', '')} && printf '[Service]\\nWatchdogSec=3\\n' >${dropIn}`;
    await machine.must(['sh', '-euc', `${haste} && systemctl daemon-reload && systemctl restart bng`]);
    const before = await mainPid();
    await machine.must(['sh', '-c', `kill -STOP ${before}`]);
    await eventually('another process', async () => {
      const now = await mainPid();
      return now !== 0 && now !== before ? true : null;
    });
    const log = await machine.must(['journalctl', '--no-pager', '--unit', 'bng', '--output', 'cat']);
    assert.match(log, /Watchdog timeout/);
    await machine.must(['sh', '-euc', `rm ${dropIn} && systemctl daemon-reload && systemctl restart bng`]);
  });

  test('an upgrade loses no session and no packet', async () => {
    const before = await sessions();
    const leasedUntil = await leaseEnd();
    const next = join(root, 'next.deb');
    const arguments_ = ['repack', deb, next, join(scratch, 'control'), '9.9.9'];
    await mustRun(['sh', '-euc', `cd "${scratch}"; ${OTHER_VERSION}`, ...arguments_]);
    const traffic = ping();
    // As who upgrades unattended answers: what the operator wrote stays.
    await machine.must(['dpkg', '--force-confold', '-i', '/next.deb']);
    assert.match(await traffic, / 0% packet loss/);
    assert.match(await machine.must(['dpkg-query', '-W', '-f', '${Version}', 'bng']), /^9\.9\.9$/);
    assert.equal(await isActive(), true);
    assert.deepEqual(await sessions(), before);
    assert.ok(Math.abs((await leaseEnd()) - leasedUntil) < 1000, 'the lease ends when it did');
  });

  test('purged, nothing of it is left', async () => {
    await machine.must(['dpkg', '--purge', 'bng']);
    const left = await machine.must([
      'sh',
      '-c',
      'ls -d /etc/bng /var/lib/bng /run/bng /usr/lib/bng /usr/bin/bng /usr/bin/bngctl 2>/dev/null; getent passwd bng; nft list tables; ls -d /sys/fs/bpf/bng 2>/dev/null; ip -d link show access0 | grep -o "prog/xdp.*"; true',
    ]);
    assert.equal(left, '');
  });

  /** Ten packets a second for six seconds from the subscriber to the core; gives what ping says. */
  async function ping(): Promise<string> {
    const count = ['ip', 'netns', 'exec', 'sub', 'ping', '-c', '60', '-i', '0.1', '-W', '2', '192.0.2.2'];
    return (await machine.run(count)).stdout;
  }

  async function start(): Promise<void> {
    const started = await machine.run(['systemctl', 'start', 'bng']);
    if (started.exitCode === 0) return;
    assert.fail(await machine.must(['journalctl', '--no-pager', '--unit', 'bng', '--lines', '40']));
  }

  async function isActive(): Promise<boolean> {
    return (await machine.run(['systemctl', 'is-active', 'bng'])).stdout === 'active';
  }

  function listing(): Promise<string> {
    return machine.must(['bngctl', '--json', '--token-file', '/etc/bng/api.token', 'sessions']);
  }

  /**
   * Without what counts on, the end of the lease, which the monotonic clock keeps (in wall time it is rounded anew), and fields that
   * came after the version which is upgraded from.
   */
  async function sessions(): Promise<unknown> {
    const left = ['traffic', 'lease_expires_at', 'pool_group'];
    return JSON.parse(await listing(), (key, value: unknown) => (left.includes(key) ? undefined : value));
  }

  /** In milliseconds. */
  async function leaseEnd(): Promise<number> {
    const [, until = ''] = /"lease_expires_at": ?"([^"]+)"/.exec(await listing()) ?? [];
    return Date.parse(until);
  }

  async function mainPid(): Promise<number> {
    return Number(await machine.must(['systemctl', 'show', '--property=MainPID', '--value', 'bng']));
  }
});
