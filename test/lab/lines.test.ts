/** Access lines with the real BNG, real clients and real ARP: who has a line, who takes it over, who is still there. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { labConfig } from '../../src/lab/lab-bng.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { patience } from '../../src/lab/patience.js';
import { formatIpv4, IPV4_ANY, parseIpv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { formatMac, MAC_BROADCAST, parseMac } from '../../src/model/mac.js';
import { HashRingPools } from '../../src/pool/hash-ring-pools.js';
import { decodeDhcpFrame, encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../../src/wire/dhcpv4-message.js';
import { DhcpOptionsBuilder } from '../../src/wire/dhcpv4-options-builder.js';
import { GARDEN, House, leaseIn, RESIDENTIAL, until } from '../support/lab-house.js';
import { RawPeer } from '../support/raw-peer.js';

const { internet } = CORE_ADDRESSES;
const STATIC = '10.16.5.9';
const RELAY = parseIpv4('172.16.0.1');
const RELAY_MAC = parseMac('02:00:5e:00:aa:01');
const TWIN = parseMac('02:00:5e:00:00:77');
const line = (
  n: number,
): { readonly ontSerial: string; readonly port: string; readonly tagging: 'qinq' } => ({
  ontSerial: `LINE0000000${n}`,
  port: `1/1/${n}`,
  tagging: 'qinq',
});

describe('access lines', () => {
  let house: House;
  let swapped: OntHost;
  let twins: readonly OntHost[];
  before(async () => {
    const record = (n: number, pool: string): object => ({ ontSerial: line(n).ontSerial, pool });
    house = await House.start({
      prefix: 'lin',
      configure: (lab) => ({
        pools: (labConfig(lab, '')['pools'] as readonly Record<string, unknown>[]).map((pool) =>
          pool['name'] === 'isp-business' ? { ...pool, exclude: ['10.16.5.0-10.16.5.255'] } : pool,
        ),
        auth: {
          mode: 'local',
          defaultPool: 'wgar',
          records: [
            record(2, 'isp-residential'),
            record(3, 'isp-residential'),
            { ...record(4, 'isp-business'), address: STATIC },
          ],
        },
        dhcp: { relays: [{ host: formatIpv4(RELAY), leasequery: true }] },
        lines: { static: ['10.16.5.0/24'], tries: 3, wait: '200ms' },
      }),
    });
    [swapped, ...twins] = (await house.plugAll([
      { ...line(1), client: 'udhcpc' },
      { ...line(2), client: 'udhcpc', mac: TWIN },
      { ...line(3), client: 'udhcpc', mac: TWIN },
    ])) as [OntHost, ...OntHost[]];
  });
  after(() => house.close());

  const pings = async (host: OntHost): Promise<boolean> => (await host.ping(internet)).received === 1;

  it('one MAC on two lines: two sessions, two addresses, and each has its own traffic', async () => {
    const leases = await Promise.all(twins.map((host) => leaseIn(host, RESIDENTIAL)));
    assert.notEqual(leases[0]?.address, leases[1]?.address);
    assert.deepEqual(await Promise.all(twins.map(pings)), [true, true]);
    const sessions = await Promise.all(twins.map(({ ontSerial }) => house.session(ontSerial)));
    assert.deepEqual(
      sessions.map((session) => [session?.attachment?.mac, session?.address]),
      leases.map(({ address }) => [formatMac(TWIN), address]),
    );
    assert.notEqual(sessions[0]?.attachment?.c_vlan, sessions[1]?.attachment?.c_vlan);
  });

  it('a new MAC (udhcpc) takes over from one that is gone, with a session of its own', async () => {
    const { ontSerial } = swapped;
    const { address } = await leaseIn(swapped, GARDEN);
    const before = await house.session(ontSerial);
    await swapped.stop();
    await swapped.run(['ip', 'link', 'set', 'eth0', 'address', '02:00:5e:00:00:99']);
    await swapped.start();
    const after = await house.untilSession(
      ontSerial,
      'its new station',
      (session) => session.attachment?.mac === '02:00:5e:00:00:99' && session.lease_phase === 'bound',
    );
    assert.notEqual(after.id, before?.id);
    assert.equal(after.address, address);
    assert.equal((await house.bng.metrics()).get('bng_line_takeovers_total{why="new-mac"}'), 1);
  });

  it('a static subscriber has its address without DHCP, and is walled and opened where it is', async () => {
    const host = await house.lab.plug({ ...line(4), client: 'none' });
    const { ontSerial } = host;
    await house.untilSession(ontSerial, 'granted', ({ address }) => address === STATIC);
    await host.run(['ip', 'addr', 'add', `${STATIC}/12`, 'dev', 'eth0']);
    await host.run(['ip', 'route', 'add', 'default', 'via', '10.16.0.1']);
    await until('traffic', 20_000, async () => ((await pings(host)) ? true : null));
    const session = await house.session(ontSerial);
    assert.deepEqual(
      [session?.state, session?.lease_phase, session?.lease_expires_at, session?.attachment?.mac],
      ['active', 'bound', null, formatMac(host.mac)],
    );
    assert.equal((await house.order('suspend', ontSerial)).status, 200);
    assert.equal(await pings(host), false);
    assert.deepEqual(
      (await house.gardenMembers()).filter((member) => member === STATIC),
      [STATIC],
    );
    assert.equal((await house.order('resume', ontSerial)).status, 200);
    assert.equal(await pings(host), true);
  });

  it('an address that somebody on the line has already is not offered', async () => {
    const host = await house.lab.plug({ ...line(5), client: 'none' });
    const { ontSerial } = host;
    const granted = await house.untilSession(ontSerial, 'granted', ({ address }) => address !== null);
    // Where the pool places it is known, so that the squatter can be there first.
    const pools = new HashRingPools([
      {
        ...{ name: 'wgar', network: GARDEN, gateway: parseIpv4('10.255.0.1') },
        ...{ dns: [], leaseSeconds: 600, exclude: [] },
      },
    ]);
    const home = pools.allocate('wgar', `ont:${ontSerial}`);
    assert.ok(home.kind === 'allocated');
    assert.equal(granted.address, formatIpv4(home.address));
    const squat = `sysctl -qw net.ipv4.conf.all.arp_ignore=1
      ip link add squat link eth0 address 02:00:5e:00:bb:01 type macvlan mode bridge
      ip addr add ${granted.address}/16 dev squat
      ip link set squat up`;
    const made = await host.run(['sh', '-ec', squat]);
    assert.equal(made.exitCode, 0, made.stderr);
    const asked = await host.run(
      ['udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-s', '/bin/true'],
      20_000 * patience,
    );
    assert.equal(asked.exitCode, 0, asked.stderr);
    const now = await house.session(ontSerial);
    assert.notEqual(now?.address, granted.address);
    const obtained = /lease of ([0-9.]+) obtained/.exec(`${asked.stdout}${asked.stderr}`);
    assert.equal(obtained?.[1], now?.address);
    const { body } = await house.bng.get('/api/v1/pools');
    const garden = (body['pools'] as readonly { name: string; quarantined: number }[])[0];
    assert.deepEqual([garden?.name, garden?.quarantined], ['wgar', 1]);
  });

  it('an access node asks over the wire who has an address (RFC 4388), and is told', async () => {
    const { ontSerial } = swapped;
    const session = await house.session(ontSerial);
    assert.ok(session?.address);
    const peer = await RawPeer.start(house.lab.namespaces.olt, 'trunk0');
    try {
      const xid = 0x43880001;
      const payload = encodeDhcpMessage({
        ...{ op: 'BOOTREQUEST', xid, giaddr: RELAY, ciaddr: parseIpv4(session.address) },
        ...{ chaddr: 0 as Mac, htype: 0, hlen: 0 },
        options: new DhcpOptionsBuilder().messageType('DHCPLEASEQUERY').build(),
      });
      await peer.send(
        encodeDhcpFrame({
          ...{ destinationMac: MAC_BROADCAST, sourceMac: RELAY_MAC, tags: [], payload },
          ...{ sourceIp: RELAY, destinationIp: parseIpv4('10.255.0.1'), sourcePort: 67, destinationPort: 67 },
        }),
      );
      const isAnswer = (frame: Buffer): boolean =>
        frame.subarray(0, 6).equals(Buffer.from('02005e00aa01', 'hex')) && frame.readUInt16BE(12) === 0x0800;
      const { message, destinationIp } = decodeDhcpFrame(await peer.frame('the answer', isAnswer));
      assert.equal(message.xid, xid);
      assert.equal(message.options.messageType, 'DHCPLEASEACTIVE');
      assert.deepEqual(
        [destinationIp, message.ciaddr, formatMac(message.chaddr), message.yiaddr],
        [RELAY, parseIpv4(session.address), '02:00:5e:00:00:99', IPV4_ANY],
      );
    } finally {
      await peer.close();
    }
  });

  it('liveness, switched on by a reload: the silent station’s session ends, those of the living stay', async () => {
    const living = ['LINE00000002', 'LINE00000003', 'LINE00000004'];
    const before = await Promise.all(living.map((serial) => house.session(serial)));
    const silent = await house.session(swapped.ontSerial);
    await swapped.stop();
    await swapped.run(['ip', 'addr', 'flush', 'dev', 'eth0']);
    const config = JSON.parse(readFileSync(house.bng.configFile, 'utf8')) as { lines: object };
    const lines = { ...config.lines, liveness: { action: 'close', interval: '1s' } };
    writeFileSync(house.bng.configFile, JSON.stringify({ ...config, lines }));
    assert.equal((await house.bng.post('/api/v1/reload', {})).status, 200);
    const next = await house.untilSession(
      swapped.ontSerial,
      'closed and begun anew',
      ({ id, lease_phase }) => id !== silent?.id && lease_phase === 'none',
    );
    assert.equal(next.attachment, null);
    await until('the living answer', 10_000, async () => {
      const metrics = await house.bng.metrics();
      return (metrics.get('bng_liveness_checks_total{result="answered"}') ?? 0) >= 3 ? true : null;
    });
    const after = await Promise.all(living.map((serial) => house.session(serial)));
    assert.deepEqual(
      after.map((session) => session?.id),
      before.map((session) => session?.id),
    );
  });
});
