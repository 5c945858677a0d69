/** `bng doctor` on a machine that lacks one thing after another: each is named, and what it says to type puts it right. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { Child, exec } from '../../src/lab/exec.js';
import { patience } from '../../src/lab/patience.js';
import { eventually } from '../support/eventually.js';
import { type PeerScript, RadiusPeer } from '../support/radius-peer.js';
import { enterNamespaces, makeVeth, run, runIn } from './dataplane-world.js';

enterNamespaces(import.meta.url, ['doc-bng', 'doc-core']);

const BNG = join(import.meta.dirname, '..', '..', 'src', 'bin', 'bng.js');
const DEADLINE_MS = 30_000;
const PEER = '192.0.2.2';
const ACCESS_REJECT = 3;

const findingSchema = z.object({
  check: z.string(),
  about: z.string().nullable(),
  status: z.enum(['ok', 'warning', 'failed']),
  found: z.string(),
  remedy: z.string().nullable(),
});
const reportSchema = z.object({ ok: z.boolean(), findings: z.array(findingSchema) });
type Report = z.infer<typeof reportSchema> & { readonly exitCode: number | null };
type Finding = z.infer<typeof findingSchema>;

/** Runs the rest of the command line where the kernel is old and without options, BTF and JIT, the clock nobody's, and little else is there. */
const UNFIT = `
folder=$1; shift
mkdir -p "$folder/bin" "$folder/boot" "$folder/net"
for tool in ip tc sh; do ln -sf "$(command -v $tool)" "$folder/bin/$tool"; done
printf '#!/bin/sh\\necho no\\n' >"$folder/bin/timedatectl"
chmod +x "$folder/bin/timedatectl"
echo 0 >"$folder/net/bpf_jit_enable"
echo CONFIG_BPF=y | gzip >"$folder/config.gz"
exec unshare --mount sh -euc '
folder=$1; shift
mount -t tmpfs none /sys/kernel/btf
mount --bind "$folder/net" /proc/sys/net/core
if [ -e /proc/config.gz ]; then mount --bind "$folder/config.gz" /proc/config.gz; else mount --bind "$folder/boot" /boot; fi
PATH="$folder/bin"
exec /usr/bin/setarch --uname-2.6 /usr/bin/setpriv --bounding-set -bpf --inh-caps -bpf -- "$@"
' unfit "$folder" "$@"
`;

describe('bng doctor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  const token = join(folder, 'api.token');
  const socket = join(folder, 'bng.sock');
  const secretFile = join(folder, 'radius.secret');
  const radiusConfig = join(folder, 'radius.yaml');
  const config = join(folder, 'bng.yaml');
  const pool = { network: '10.1.0.0/16', gateway: '10.1.0.1', dns: [PEER], leaseTime: '600s' };
  const settings = {
    access: { interface: 'access0' },
    core: { interface: 'core0' },
    pools: [
      { ...pool, name: 'isp' },
      { ...pool, name: 'wgar', network: '10.255.0.0/16', gateway: '10.255.0.1' },
    ],
    auth: { mode: 'local', defaultPool: 'isp', records: [] },
    walledGarden: { pool: 'wgar' },
    api: { listen: '127.0.0.1:8080', tokenFile: token, socket },
    store: { path: join(folder, 'store') },
  };

  before(() => {
    makeVeth('access0', 'sub0');
    makeVeth('core0', 'net0');
    run('ethtool -K access0 rxvlan off rx-vlan-stag-hw-parse off; ip link set net0 netns doc-core');
    run('for name in access0 sub0 core0; do ip link set $name up; done; ip addr add 192.0.2.1/24 dev core0');
    runIn('doc-core', `ip link set net0 up; ip addr add ${PEER}/24 dev net0`);
    run(`ip route add default via ${PEER} dev core0`);
    writeFileSync(token, 'a-token\n', { mode: 0o600 });
    writeFileSync(secretFile, 'a-secret\n', { mode: 0o600 });
    writeFileSync(config, JSON.stringify(settings));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** One server that answers, one that knows another secret, one that is not there. */
  async function withRadius(work: (ports: readonly number[]) => Promise<void>): Promise<void> {
    const script: PeerScript = (request, peer) => peer.answer(request, { code: ACCESS_REJECT });
    const peers = await Promise.all(
      ['a-secret', 'another'].map((secret) => RadiusPeer.start({ secret, script })),
    );
    const ports = peers.map(({ port }) => port);
    const servers = [...ports.map((port) => ['127.0.0.1', port]), [PEER, 1812]].map(([host, authPort]) => ({
      host,
      authPort,
      secretFile,
    }));
    const auth = { mode: 'radius', defaultPool: 'isp' };
    const radius = { servers, nasIdentifier: 'doctor' };
    writeFileSync(radiusConfig, JSON.stringify({ ...settings, auth, radius }));
    try {
      await work(ports);
    } finally {
      await Promise.all(peers.map((peer) => peer.close()));
    }
  }

  async function look(file = config, around: readonly string[] = []): Promise<Report> {
    const command = [...around, process.execPath, BNG, 'doctor', '--json', '-c', file];
    const { exitCode, stdout, stderr } = await exec(command, { timeoutMs: DEADLINE_MS * patience });
    assert.notEqual(stdout, '', stderr);
    return { ...reportSchema.parse(JSON.parse(stdout)), exitCode };
  }

  const of = ({ findings }: Report, check: string, about: string | null = null): Finding => {
    const found = findings.filter((one) => one.check === check && one.about === about);
    assert.equal(found.length, 1, `${check} ${about}: ${JSON.stringify(findings, null, 1)}`);
    return found[0]!;
  };
  const failures = ({ findings }: Report): string[] =>
    findings.filter(({ status }) => status === 'failed').map(({ check, about }) => `${check} ${about}`);

  test('a machine that is fit has no failure, and everything was looked at', async () => {
    const report = await look();
    assert.deepEqual(failures(report), []);
    assert.equal(report.exitCode, 0);
    assert.equal(report.ok, true);
    const checks = new Set(report.findings.map(({ check }) => check));
    const expected =
      'kernel kernel-config jit btf capabilities bpffs tools interface driver offloads queues mtu route neighbour service clock store secrets';
    assert.deepEqual([...checks].sort(), expected.split(' ').sort());
    assert.match(of(report, 'driver', 'access0').found, /^veth has native XDP/);
    assert.match(of(report, 'neighbour', PEER).found, /^([0-9a-f]{2}:){5}/);
    assert.equal(of(report, 'service').status, 'warning');
  });

  const breakages: readonly [what: string, how: string, check: string, about: string | null][] = [
    ['a missing route', 'ip route del default', 'route', null],
    ['an MTU without room for two tags', 'ip link set access0 mtu 1500', 'mtu', 'access0'],
    ['a bpffs that is not mounted', 'umount /sys/fs/bpf', 'bpffs', null],
    ['checksums left to a card that is not there', 'ethtool -K sub0 tx on', 'offloads', 'sub0'],
    ['a token that others can read', `chmod 644 ${token}`, 'secrets', 'api.tokenFile'],
  ];
  test('what is missing is a failure, and what it says to type puts it right', async () => {
    for (const [, how] of breakages) run(how);
    const broken = await look();
    assert.equal(broken.exitCode, 1);
    for (const [what, , check, about] of breakages) {
      const finding = of(broken, check, about);
      assert.equal(finding.status, 'failed', what);
      const [command = ''] = (finding.remedy ?? '').split(', or ');
      run(command.replace('NEXT-HOP', PEER));
    }
    assert.equal(failures(broken).length, breakages.length, failures(broken).join());
    assert.deepEqual(failures(await look()), []);
  });

  test('a kernel, rights or tools that do not do are named, and what to type for each', async () => {
    const card = join(folder, 'bridge.yaml');
    const access = { ...settings.access, mtu: 9000 };
    writeFileSync(card, JSON.stringify({ ...settings, access, core: { interface: 'bridge0' } }));
    run('ip link add bridge0 type bridge; ip link set bridge0 up');
    const { exitCode, findings } = await look(card, ['sh', '-euc', UNFIT, 'unfit', folder]);
    run('ip link del bridge0');
    assert.equal(exitCode, 1);
    const remedies = new Map(
      findings.filter(({ status }) => status !== 'ok').map(({ check, remedy }) => [check, remedy ?? '']),
    );
    const expected: Readonly<Record<string, RegExp>> = {
      kernel: /^apt install linux-image/,
      'kernel-config': /^apt install linux-image/,
      btf: /^apt install linux-image/,
      jit: /^sysctl -w net\.core\.bpf_jit_enable=1$/,
      capabilities: /^sudo bng doctor/,
      tools: /^apt install (?=.*nftables)(?=.*ethtool)(?=.*conntrack)/,
      mtu: /^apt install linux-image/,
      driver: /^set access\.xdpMode: generic/,
      clock: /^timedatectl set-ntp true/,
    };
    for (const [check, remedy] of Object.entries(expected))
      assert.match(remedies.get(check) ?? 'ok', remedy, check);
  });

  test('a next hop and a RADIUS server that do not answer are named, as is an interface that is not there', async () => {
    runIn('doc-core', `ip addr del ${PEER}/24 dev net0`);
    run('ip neigh flush dev core0; ip link set access0 name other0');
    await withRadius(async ([answering, other]) => {
      const report = await look(radiusConfig);
      const dead = [`radius 127.0.0.1:${other}`, `radius ${PEER}:1812`];
      assert.deepEqual(failures(report), ['interface access0', `neighbour ${PEER}`, ...dead]);
      assert.match(of(report, 'neighbour', PEER).remedy ?? '', /^ping -c 3 -I core0 192\.0\.2\.2/);
      assert.equal(of(report, 'radius', `127.0.0.1:${answering}`).status, 'ok');
      assert.match(of(report, 'radius', `127.0.0.1:${other}`).found, /secret/);
      assert.match(of(report, 'radius', `${PEER}:1812`).remedy ?? '', /udp port 1812$/);
    });
    runIn('doc-core', `ip addr add ${PEER}/24 dev net0`);
    run('ip link set other0 down; ip link set other0 name access0; ip link set access0 up');
  });

  test('where a BNG runs, what was switched on since is a failure; native XDP is seen in use', async () => {
    const bng = new Child([process.execPath, BNG, 'run', '-c', config], { logFile: join(folder, 'bng.log') });
    try {
      await eventually(
        'a BNG that serves',
        async () => {
          const { status } = of(await look(), 'service');
          return status === 'ok' ? true : null;
        },
        DEADLINE_MS,
      );
      const running = await look();
      assert.deepEqual(failures(running), []);
      assert.equal(of(running, 'driver', 'access0').found, 'veth, native XDP in use');
      run('ethtool -K access0 rxvlan on');
      const worse = await look();
      assert.deepEqual(failures(worse), ['offloads access0']);
      assert.equal(of(worse, 'offloads', 'access0').remedy, 'ethtool -K access0 rxvlan off');
    } finally {
      await bng.stop();
    }
  });

  test('for a person it is one line for each thing, with what to type below', async () => {
    run('ip link set access0 mtu 1500');
    const text = await exec([process.execPath, BNG, 'doctor', '-c', config], {
      timeoutMs: DEADLINE_MS * patience,
    });
    assert.equal(text.exitCode, 1);
    assert.match(text.stdout, /^failed {3}mtu access0 +1500: .*\n {9}-> ip link set access0 mtu 1508/m);
    assert.match(text.stdout, /^[0-9]+ ok, [0-9]+ to look at, 1 failed$|, [12] failed$/m);
    const bad = await exec([process.execPath, BNG, 'doctor', '-c', join(folder, 'none')], {
      timeoutMs: DEADLINE_MS * patience,
    });
    assert.equal(bad.exitCode, 2);
  });
});
