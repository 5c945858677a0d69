/** Several pools under one name with real clients; one of them is drained and taken out of the real BNG while it runs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { exec, shell } from '../../src/lab/exec.js';
import { labConfig } from '../../src/lab/lab-bng.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { patience } from '../../src/lab/patience.js';
import { parsePrefix } from '../../src/model/ipv4.js';
import { House, leaseIn, until } from '../support/lab-house.js';

const SERIALS = ['DRAIN01', 'DRAIN02', 'DRAIN03', 'DRAIN04'] as const;
const OLD = { name: 'old', network: '10.64.0.0/24', gateway: '10.64.0.1', leaseTime: '24h' };
const NEXT = { name: 'next', network: '10.65.0.0/24', gateway: '10.65.0.1', leaseTime: '24h' };
const { internet, bng: bngAddress } = CORE_ADDRESSES;
const DEADLINE_MS = 15_000;

type Json = Readonly<Record<string, unknown>>;

describe('pools under one name, drained and taken out', { timeout: 90_000 }, () => {
  let house: House;
  let base: Json;
  let one: OntHost;
  let two: OntHost;

  const configOf = (pools: readonly Json[], group: readonly string[]): Json => ({
    pools: [...(base['pools'] as readonly Json[]), ...pools],
    poolGroups: { home: group },
    olt: { ...(base['olt'] as Json), vlans: { wgar: 100, home: 200 } },
    auth: {
      mode: 'local',
      defaultPool: 'wgar',
      records: SERIALS.map((ontSerial) => ({ ontSerial, pool: 'home', serviceId: 'home-100' })),
    },
  });

  const plug = (at: number): Promise<OntHost> =>
    house.lab.plug({
      ontSerial: SERIALS[at]!,
      port: `1/1/${at + 1}`,
      tagging: 'qinq',
      cVlan: at + 1,
      client: 'udhcpc',
    });

  before(async () => {
    house = await House.start({
      prefix: 'drn',
      configure: (lab) => {
        base = labConfig(lab, '');
        return configOf([OLD, NEXT], ['old', 'next']);
      },
    });
    for (const { network } of [OLD, NEXT]) {
      await shell(`ip route add ${network} via ${bngAddress} dev eth0 onlink`, {
        namespace: house.lab.namespaces.core,
      });
    }
    [one, two] = await Promise.all([plug(0), plug(1)]);
    await Promise.all([one, two].map((host) => leaseIn(host, parsePrefix(OLD.network))));
  });
  after(() => house?.close());

  async function bngctl(
    command: string,
  ): Promise<{ readonly exitCode: number | null; readonly text: string }> {
    const program = [process.execPath, labProgram('../bin/bngctl.js'), '--socket', house.lab.paths.apiSocket];
    const { exitCode, stdout, stderr } = await exec([...program, command], {
      timeoutMs: DEADLINE_MS * patience,
    });
    return { exitCode, text: stdout + stderr };
  }

  async function reload(pools: readonly Json[], group: readonly string[]): Promise<string> {
    const started = { ...labConfig(house.lab, house.bng.tokenFile), ...configOf(pools, group) };
    writeFileSync(house.bng.configFile, JSON.stringify(started, null, 2));
    return (await bngctl('reload')).text;
  }

  /** Everything of the kernel that could still know of a pool. */
  async function kernel(): Promise<string> {
    const script = 'nft -s list table inet bng; ip -4 -o addr show dev lo; ip route; ls -l /sys/fs/bpf/bng/*';
    const { stdout } = await house.bng.probe.run(['sh', '-c', script], DEADLINE_MS * patience);
    return stdout + JSON.stringify((await house.bng.get('/api/v1/maps/bng_local')).body);
  }

  it('a pool that is in use is not taken out, and it is said what to do', async () => {
    const before = await kernel();
    assert.match(
      await reload([NEXT], ['next']),
      /pools\[old\] removed: .*\(2 addresses are held: set its drain to keep or move, and take it out when bngctl pools says drained\)/,
    );
    assert.equal(await kernel(), before);
    assert.match((await bngctl('pools')).text, /^old .* home +open$/m);
  });

  it('keep: who has an address goes on renewing it, and who comes gets the next pool', async () => {
    assert.equal(
      await reload([{ ...OLD, drain: 'keep' }, NEXT], ['old', 'next']),
      'pools[old].drain: none -> keep',
    );
    assert.match((await bngctl('pools')).text, /^old .* home +draining$/m);
    const told = one.leaseEvents.length;
    await one.askAgain();
    const answer = await one.waitForLeaseEvent(DEADLINE_MS * patience, () => true, told);
    assert.deepEqual([answer?.event, answer?.address], ['renewed', one.lease?.address]);
    await leaseIn(await plug(2), parsePrefix(NEXT.network));
    assert.deepEqual([await house.allocated('old'), await house.allocated('next')], [2, 1]);
  });

  it('move: each client is moved when it renews, keeps its service, and reaches the internet', async () => {
    assert.equal(
      await reload([{ ...OLD, drain: 'move' }, NEXT], ['old', 'next']),
      'pools[old].drain: keep -> move',
    );
    await Promise.all(
      [one, two].map(async (host) => {
        await host.askAgain();
        await leaseIn(host, parsePrefix(NEXT.network));
      }),
    );
    await until('nobody to have an address of the pool', DEADLINE_MS, async () =>
      (await house.allocated('old')) === 0 ? true : null,
    );
    assert.match((await bngctl('pools')).text, /^old .* home +drained$/m);
    assert.match((await bngctl('sessions')).text, new RegExp(`^${SERIALS[0]} +active `, 'm'));
    assert.equal((await one.ping(internet, { count: 2 })).received, 2);
  });

  it('an empty pool is taken out: routes, gateway, maps and figures go with it, and nobody notices', async () => {
    const isThere = new RegExp(OLD.gateway.replaceAll('.', '\\.'));
    assert.match(await kernel(), isThere);
    const pinging = one.ping(internet, { count: 20 });
    assert.match(await reload([NEXT], ['next']), /^pools\[old\] removed: name old.*[^)]$/m);
    assert.equal((await pinging).received, 20);
    assert.doesNotMatch(await kernel(), /10\.64\.0\./);
    assert.doesNotMatch((await bngctl('pools')).text, /^old /m);
    const gauges = [...(await house.bng.metrics()).keys()].filter((name) => name.startsWith('bng_dhcp_pool'));
    assert.ok(gauges.length > 0 && gauges.every((name) => !name.includes('old')), gauges.join(' '));
  });

  it('its network comes back as another pool, and what is drained stays so over a restart', async () => {
    const heir = { ...OLD, name: 'heir' };
    const pools = [heir, { ...NEXT, drain: 'keep' }];
    const address = (await house.session(SERIALS[0]))?.address;
    await reload(pools, ['next', 'heir']);
    await house.bng.process.stop();
    assert.equal(house.bng.process.exit?.exitCode, 0);
    await house.restartBng(configOf(pools, ['next', 'heir']));
    assert.equal((await house.session(SERIALS[0]))?.address, address);
    await leaseIn(await plug(3), parsePrefix(heir.network));
    assert.match((await bngctl('pools')).text, /^next .* home +draining$/m);
  });
});
