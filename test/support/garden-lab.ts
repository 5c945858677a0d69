/**
 * The lab as the tests of garden, guard and counters use it: a real BNG, subscribers with real leases, and peers of raw
 * frames at the ends. Waits with deadlines; asserts only what every test relies on.
 */
import assert from 'node:assert/strict';
import { patience } from '../../src/lab/patience.js';
import { execOrThrow, shell } from '../../src/lab/exec.js';
import { Lab } from '../../src/lab/lab.js';
import type { ConfigChanges } from '../../src/lab/lab-bng.js';
import { LAB_VLANS, LabBng } from '../../src/lab/lab-bng.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { formatMac } from '../../src/model/mac.js';
import type { Tagging } from '../../src/olt/protocol.js';
import { eventually } from './eventually.js';
import type { PacketBuilder } from './packet.js';
import { packet } from './packet.js';
import { RawPeer } from './raw-peer.js';

const DEADLINE_MS = 8_000 * patience;

export interface Traffic {
  readonly upstreamPackets: number;
  readonly upstreamBytes: number;
  readonly downstreamPackets: number;
  readonly downstreamBytes: number;
}

/** A plugged ONT whose equipment has a lease, with a raw peer beside its stack. */
export interface Subscriber {
  readonly serial: string;
  readonly host: OntHost;
  readonly mac: string;
  readonly peer: RawPeer;
  /** Tags of its line on the trunk, outer first. */
  tags(): readonly Tag[];
  /** Its present address. */
  address(): string;
  /** An Ethernet header from it to the gateway; layers follow. */
  toGateway(): PacketBuilder;
}

export interface Tag {
  readonly tpid: number;
  readonly vlan: number;
}

export interface SubscriberOptions {
  readonly tagging?: Tagging;
  readonly cVlan?: number;
}

export class GardenLab {
  readonly lab: Lab;
  readonly bng: LabBng;
  /** At the core's end of the core link: whatever the BNG lets out. */
  readonly core: RawPeer;
  /** On the access node's trunk: sends with any tags, past the access node's own checks. */
  readonly trunk: RawPeer;
  readonly gatewayMac: string;
  readonly coreMacs: { readonly bng: string; readonly core: string };
  #ports = 0;

  private constructor(parts: Pick<GardenLab, 'lab' | 'bng' | 'core' | 'trunk' | 'gatewayMac' | 'coreMacs'>) {
    this.lab = parts.lab;
    this.bng = parts.bng;
    this.core = parts.core;
    this.trunk = parts.trunk;
    this.gatewayMac = parts.gatewayMac;
    this.coreMacs = parts.coreMacs;
  }

  static async open(prefix: string, changes: ConfigChanges = {}): Promise<GardenLab> {
    const lab = await Lab.create({ prefix, gardenSVlan: LAB_VLANS.wgar });
    try {
      const bng = await LabBng.start(lab, changes);
      const [core, trunk] = await Promise.all([
        RawPeer.start(lab.namespaces.core, 'eth0'),
        RawPeer.start(lab.namespaces.olt, 'trunk0'),
      ]);
      lab.onClose(() => core.close());
      lab.onClose(() => trunk.close());
      // The core's stack keeps quiet about what no socket of its wants: only what a test sends is on the wire.
      await quieten(lab.namespaces.core);
      return new GardenLab({
        lab,
        bng,
        core,
        trunk,
        gatewayMac: await macOf(lab.namespaces.bng, 'access0'),
        coreMacs: {
          bng: await macOf(lab.namespaces.bng, 'core0'),
          core: await macOf(lab.namespaces.core, 'eth0'),
        },
      });
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** Plugs an ONT in and waits for its first lease. */
  async subscribe(serial: string, options: SubscriberOptions = {}): Promise<Subscriber> {
    this.#ports += 1;
    const { tagging = 'qinq', cVlan = 100 + this.#ports } = options;
    const host = await this.lab.plug({
      ontSerial: serial,
      port: `1/1/${this.#ports}`,
      tagging,
      ...(tagging === 'qinq' ? { cVlan } : {}),
      client: 'udhcpc',
    });
    assert.ok(await host.waitForLease(DEADLINE_MS), `${serial} has a lease`);
    await quieten(host.namespace);
    const peer = await RawPeer.start(host.namespace, 'eth0');
    this.lab.onClose(() => peer.close());
    const mac = formatMac(host.mac);
    return {
      serial,
      host,
      mac,
      peer,
      tags: () => {
        const sVlan =
          host.lease?.address.startsWith('10.255.') === true ? LAB_VLANS.wgar : LAB_VLANS['isp-residential'];
        if (tagging === 'untagged') return [];
        if (tagging === 'single') return [{ tpid: 0x8100, vlan: sVlan }];
        return [
          { tpid: 0x88a8, vlan: sVlan },
          { tpid: 0x8100, vlan: cVlan },
        ];
      },
      address: () => host.lease?.address ?? assert.fail(`${serial} has no lease`),
      toGateway: () => packet().ethernet(this.gatewayMac, mac),
    };
  }

  /** Activates a line and waits until its equipment holds an address of the pool. */
  async activate(
    subscriber: Subscriber,
    rates: { readonly down?: number; readonly up?: number; readonly pool?: string } = {},
  ): Promise<void> {
    const { host, serial } = subscriber;
    const answer = await this.bng.post('/api/v1/activate', {
      ont_serial: serial,
      service_id: 'test',
      pool: rates.pool ?? 'isp-residential',
      qos_download_bps: rates.down ?? 0,
      qos_upload_bps: rates.up ?? 0,
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    await this.#reaches(serial, 'active', host, false);
  }

  /** Suspends a line and waits until its equipment is back in the garden. */
  async suspend(subscriber: Subscriber): Promise<void> {
    const answer = await this.bng.post('/api/v1/suspend', { ont_serial: subscriber.serial });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    await this.#reaches(subscriber.serial, 'suspended', subscriber.host, true);
  }

  async #reaches(serial: string, state: string, host: OntHost, walled: boolean): Promise<void> {
    await eventually(`${serial} is ${state} with a lease of its pool`, async () => {
      const { body } = await this.bng.get(`/api/v1/sessions/${serial}`);
      const lease = host.lease?.address;
      const there = body['state'] === state && body['lease_phase'] === 'bound' && body['address'] === lease;
      return there && lease?.startsWith('10.255.') === walled ? body : null;
    });
  }

  /** Ethernet header and tags of a subscriber's line as the trunk has them, towards the gateway; layers follow. */
  onTrunk(
    line: Pick<Subscriber, 'tags' | 'mac'>,
    from: { readonly mac?: string; readonly to?: string } = {},
  ): PacketBuilder {
    return line
      .tags()
      .reduce(
        (frame, { tpid, vlan }) => frame.tag(tpid, vlan),
        packet().ethernet(from.to ?? this.gatewayMac, from.mac ?? line.mac),
      );
  }

  /** An Ethernet header from the core's router to the BNG; layers follow. */
  fromCore(): PacketBuilder {
    return packet().ethernet(this.coreMacs.bng, this.coreMacs.core);
  }

  /** Frames dropped since start by reason, and `verdicts` by verdict. */
  async frames(): Promise<{ drops: Record<string, number>; verdicts: Record<string, number> }> {
    const { status, body } = await this.bng.get('/api/v1/drops');
    assert.equal(status, 200);
    const numbers = (table: unknown): Record<string, number> =>
      Object.fromEntries(Object.entries(table as Record<string, string>).map(([k, v]) => [k, Number(v)]));
    return { drops: numbers(body['drops']), verdicts: numbers(body['verdicts']) };
  }

  /** What the API says of the traffic of a line's installed address. */
  async traffic(serial: string): Promise<Traffic> {
    const { body } = await this.bng.get(`/api/v1/sessions/${serial}`);
    const traffic = body['traffic'] as Record<string, string> | null;
    assert.ok(traffic, `${serial} is installed`);
    return {
      upstreamPackets: Number(traffic['upstream_packets']),
      upstreamBytes: Number(traffic['upstream_bytes']),
      downstreamPackets: Number(traffic['downstream_packets']),
      downstreamBytes: Number(traffic['downstream_bytes']),
    };
  }

  close(): Promise<void> {
    return this.lab.close();
  }
}

/** The stack of a namespace no longer answers packets that nobody there asked for (ICMP errors, RST). */
async function quieten(namespace: string): Promise<void> {
  await shell(
    `nft -f - <<END
add table inet quiet
add chain inet quiet output { type filter hook output priority 0; policy accept; }
add rule inet quiet output icmp type destination-unreachable drop
add rule inet quiet output tcp flags & rst == rst drop
END`,
    { namespace },
  );
}

async function macOf(namespace: string, name: string): Promise<string> {
  const listing = await execOrThrow(['ip', '-br', 'link', 'show', 'dev', name], { namespace });
  return /([0-9a-f]{2}:){5}[0-9a-f]{2}/.exec(listing)?.[0] ?? assert.fail(`${name} has a MAC address`);
}

/** What grew between two tables of counters. */
export function growth(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const grown = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, difference]) => difference !== 0));
}
