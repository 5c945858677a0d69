/** The lab of vagrant/ on three QEMU guests with a stock kernel: installed by the operator's scripts, joined by virtio-net. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { exec } from '../../src/lab/exec.js';
import { patience } from '../../src/lab/patience.js';
import { unpackRoot } from '../support/booted-machine.js';
import { eventually } from '../support/eventually.js';
import { VirtualMachine } from '../support/virtual-machine.js';

// dist/test/vagrant → the repository
const repository = join(import.meta.dirname, '..', '..', '..');
const KERNEL = '6.1';
const PROVISION_MS = 1_800_000;
const COME_MS = 300_000;

const machinesSchema = z.record(
  z.string(),
  z.object({
    address: z.string(),
    networks: z.array(z.string()),
    script: z.string(),
    environment: z.record(z.string(), z.string()),
  }),
);
const machines = machinesSchema.parse(
  JSON.parse(readFileSync(join(repository, 'vagrant/machines.json'), 'utf8')),
);
type Name = 'access' | 'bng' | 'core';

/** Cables as vagrant-libvirt makes them: UDP between two processes of QEMU, by the machine at each end. */
const CABLES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  trunk: { access: 17_001, bng: 17_002 },
  core: { bng: 17_003, core: 17_004 },
};

/** The cards of a machine as in the Vagrantfile: eth0 that Vagrant itself uses, eth1 for management, from eth2 on the cables. */
function cards(name: string, cables: readonly string[]): string[] {
  const number = Object.keys(machines).indexOf(name) + 1;
  const netdevs = [
    'hubport,id=n0,hubid=0',
    'socket,id=n1,mcast=239.7.7.7:17000,localaddr=127.0.0.1',
    ...cables.map((cable, index) => {
      const ends = CABLES[cable] ?? {};
      const far = Object.keys(ends).find((other) => other !== name) ?? '';
      return `socket,id=n${index + 2},udp=127.0.0.1:${ends[far]},localaddr=127.0.0.1:${ends[name]}`;
    }),
  ];
  return netdevs.flatMap((netdev, index) => [
    ...['-netdev', netdev],
    ...['-device', `virtio-net-pci,netdev=n${index},mac=52:54:00:00:0${number}:0${index},romfile=`],
  ]);
}

describe('the three machines of vagrant/', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'bng-vagrant-'));
  const root = join(repository, 'build', 'guest-root');
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1000);
  const up = new Map<string, VirtualMachine>();
  const machine = (name: Name): VirtualMachine => {
    const found = up.get(name);
    assert.ok(found !== undefined, `${name} is not up`);
    return found;
  };

  before(async () => {
    await exec(['ip', 'route', 'add', '239.0.0.0/8', 'dev', 'lo']);
    rmSync(root, { recursive: true, force: true });
    await unpackRoot(join(repository, 'build/guest-root.tar'), root);
    const files = join(root, 'srv/lab');
    mkdirSync(files, { recursive: true });
    for (const folder of ['deploy', 'grafana/prometheus', 'vagrant'])
      cpSync(join(repository, folder), join(files, folder), { recursive: true });
    const dropIns = join(root, 'etc/systemd/system/bng.service.d');
    mkdirSync(dropIns, { recursive: true });
    writeFileSync(
      join(dropIns, 'emulated.conf'),
      // Loading the programs of a BNG has taken 100 s of an emulated CPU that others shared.
      `[Service]\nTimeoutStartSec=${300 * patience}\nWatchdogSec=${120 * patience}\n`,
    );
    const built = await exec(
      [
        'env',
        'COMPRESSION=gzip',
        'LEVEL=1',
        `BUILD=${scratch}`,
        join(repository, 'scripts/package/build-deb.sh'),
      ],
      { timeoutMs: COME_MS },
    );
    assert.equal(built.exitCode, 0, built.stderr);
    cpSync(built.stdout.trim().split('\n').at(-1) ?? '', join(files, 'bng.deb'));
    console.log(`the root and the package are there after ${seconds()} s`);
    // All have come up or ended before anybody goes on: what one leaves behind, `after` ends.
    const boots = await Promise.allSettled(
      Object.entries(machines).map(async ([name, { networks }]) => {
        const folder = join(scratch, name);
        const qemu = cards(name, networks);
        up.set(
          name,
          await VirtualMachine.boot(repository, {
            name,
            root,
            folder,
            kernel: KERNEL,
            memoryMb: 1_536,
            qemu,
          }),
        );
      }),
    );
    for (const boot of boots) if (boot.status === 'rejected') throw boot.reason;
    console.log(`three machines are up after ${seconds()} s`);
  });
  after(async () => {
    await Promise.all([...up.values()].map((guest) => guest.stop()));
    rmSync(scratch, { recursive: true, force: true });
    rmSync(root, { recursive: true, force: true });
  });

  /** What Vagrant does before the script: the folder with what it needs, the address for management. */
  async function prepare(name: Name): Promise<void> {
    await machine(name).must(
      `rm -rf /tmp/lab && cp -r /srv/lab /tmp/lab && ip addr replace ${machines[name]?.address}/24 dev eth1 && ip link set eth1 up`,
    );
  }

  async function provision(name: Name): Promise<string> {
    const { environment = {}, script = '' } = machines[name] ?? {};
    const variables = Object.entries({ ...environment, PACKAGE: '/tmp/lab/bng.deb' }).map(
      ([key, value]) => `${key}='${value}'`,
    );
    return machine(name).must(
      `env ${variables.join(' ')} sh /tmp/lab/deploy/provision/${script} 2>&1`,
      PROVISION_MS,
    );
  }

  async function install(name: Name): Promise<void> {
    await prepare(name);
    await provision(name);
    console.log(`${name} is installed after ${seconds()} s`);
  }

  const subscriber = (command: string, n = 1): Promise<string> =>
    machine('access').must(`lab-subscriber exec ${n} ${command}`);

  /** The address of the first subscriber once it lies in `network`. */
  const addressIn = (network: RegExp): Promise<string> =>
    eventually(
      `a lease in ${network.source}`,
      async () => {
        const said = await subscriber('ip -4 -o addr show dev eth0');
        const [, address = ''] = /inet ([0-9.]+)\//.exec(said) ?? [];
        return network.test(address) ? address : null;
      },
      COME_MS,
    );

  test("each machine is installed by the operator's script, the BNG when the others are there", async () => {
    await Promise.all([install('core'), install('access')]);
    await install('bng');
  });

  test('a second run of each script succeeds, writes nothing and starts nothing anew', async () => {
    const said = await Promise.all((['core', 'access', 'bng'] as const).map(provision));
    for (const output of said) assert.doesNotMatch(output, /provision: (writes|restarts|starts)/);
  });

  test('the BNG runs as a service, in native XDP on virtio-net', async () => {
    assert.equal(await machine('bng').must('systemctl is-active bng'), 'active');
    for (const link of ['eth2', 'eth3']) {
      const said = await machine('bng').must(`ip -d link show dev ${link}`);
      assert.match(said, / xdp /);
    }
    const security = await machine('bng').must('systemd-analyze security --no-pager bng.service');
    assert.match(security, /Overall exposure level for bng\.service: [0-2]\.[0-9] OK/);
  });

  test('a subscriber has its lease of the garden, and meets the portal', async () => {
    await addressIn(/^10\.255\./);
    const head = await subscriber('curl -s -i -m 20 http://192.0.2.80/');
    assert.match(head, /^HTTP\/1\.1 302 /);
  });

  test('activated, it has an address of the ISP and reaches the web server', async () => {
    const order =
      'bngctl activate LAB00000001 --pool isp-residential --service home-100 --down 100M --up 20M';
    // Refused while an emulated access node takes longer to answer than the BNG waits.
    await eventually(
      'an activation',
      async () => ((await machine('bng').run(order)).exitCode === 0 ? true : null),
      COME_MS,
    );
    const address = await addressIn(/^10\.(1[0-5]|[0-9])\./);
    const page = await eventually(
      'the page of the web server',
      async () => {
        const said = await machine('access').run('lab-subscriber exec 1 curl -s -m 10 http://192.0.2.80/');
        return said.exitCode === 0 ? said.stdout : null;
      },
      COME_MS,
    );
    assert.equal(page, `client ${address}`);
  });

  test('FreeRADIUS has its accounting, and Prometheus its metrics', async () => {
    await eventually(
      'a Start for it',
      async () => {
        const detail = await machine('core').run('cat /var/log/freeradius/radacct/*/detail*');
        return /LAB00000001[^]*Acct-Status-Type = Start/.test(detail.stdout) || null;
      },
      COME_MS,
    );
    await eventually(
      'a scrape',
      async () => {
        const query = "curl -s 'http://127.0.0.1:9090/api/v1/query?query=bng_sessions_total'";
        const said = await machine('core').run(query);
        return /"state":"active"[^}]*\},"value":\[[^,]+,"1"\]/.test(said.stdout) || null;
      },
      COME_MS,
    );
  });

  test('a crash of the BNG in the middle of traffic costs no packet; systemd starts it again, with its sessions', async () => {
    const pid = await mainPid();
    const traffic = machine('access').must('lab-subscriber exec 1 ping -c 200 -i 0.1 -W 5 192.0.2.80');
    await machine('bng').must('sleep 2; systemctl kill -s KILL bng');
    await eventually(
      'another process that is ready',
      async () => ((await isUp()) && (await mainPid()) !== pid ? true : null),
      COME_MS,
    );
    assert.match(await traffic, / 0% packet loss/);
    const session = await machine('bng').must('bngctl --json session LAB00000001');
    assert.match(session, /"state": ?"active"/);
    await subscriber('curl -s -m 20 http://192.0.2.80/');
  });

  test('the second subscriber is in the garden all the while', async () => {
    const said = await subscriber('curl -s -i -m 20 http://192.0.2.80/', 2);
    assert.match(said, /^HTTP\/1\.1 302 /);
  });

  const mainPid = (): Promise<string> => machine('bng').must('systemctl show --property=MainPID --value bng');
  const isUp = async (): Promise<boolean> =>
    (await machine('bng').run('systemctl is-active bng && bngctl health')).exitCode === 0;
});
