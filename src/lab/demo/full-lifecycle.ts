/**
 * The whole life of an ISP's subscribers, told from what is seen outside the BNG: leases in the clients' namespaces,
 * connections that open or do not, counters read back. Nothing is printed because it was asked for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ipv4Prefix } from '../../model/ipv4.js';
import { formatPrefix, parseIpv4, parsePrefix, prefixContains } from '../../model/ipv4.js';
import { CORE_ADDRESSES } from '../core-network.js';
import type { Lab } from '../lab.js';
import type { LabBng } from '../lab-bng.js';
import type { OntHost } from '../ont-host.js';
import { finalMetrics } from './final-metrics.js';
import type { Narrator } from './narrator.js';

export interface FullLifecycleOptions {
  readonly lab: Lab;
  readonly bng: LabBng;
  readonly narrator: Narrator;
  readonly subscribers: number;
  /** Length of the whole story; its appointments move with it. */
  readonly durationSeconds: number;
  readonly signal: AbortSignal;
}

/** Appointments of the story in seconds of its full length of 60. */
const FULL_LENGTH = 60;
const ONTS_PLUGGED_BY = 8;
const ACTIVATION_AT = 10;
const TRAFFIC_AT = 22;
const SUSPENSION_AT = 38;
const METRICS_AT = 55;

const LEASE_DEADLINE_MS = 10_000;
const BLOCKED_MS = 700;
const DOWNLOAD_BYTES = 4_000_000;
const UPLOAD_BYTES = 1_000_000;
const { internet, gardenAllowed } = CORE_ADDRESSES;

const GARDEN_NETWORK = parsePrefix('10.255.0.0/16');
const RESIDENTIAL_NETWORK = parsePrefix('10.0.0.0/12');
const BUSINESS_NETWORK = parsePrefix('10.16.0.0/12');

const RESIDENTIAL = {
  service_id: 'home-100',
  pool: 'isp-residential',
  qos_download_bps: 100_000_000,
  qos_upload_bps: 50_000_000,
};
const BUSINESS = {
  service_id: 'business-500',
  pool: 'isp-business',
  qos_download_bps: 500_000_000,
  qos_upload_bps: 500_000_000,
};

/** Bytes of content that each client got and sent, as it says itself, by ONT serial. */
export type Transfers = ReadonlyMap<string, { readonly down: number; readonly up: number }>;

export function demoSerial(n: number): string {
  return `DEMO${String(n).padStart(8, '0')}`;
}

export async function playFullLifecycle(options: FullLifecycleOptions): Promise<Transfers> {
  return new FullLifecycle(options).play();
}

class FullLifecycle {
  readonly #o: FullLifecycleOptions;
  readonly #beganMs = performance.now();
  readonly #transfers = new Map<string, { readonly down: number; readonly up: number }>();

  constructor(options: FullLifecycleOptions) {
    this.#o = options;
  }

  async play(): Promise<Transfers> {
    const onts = await this.#connect();
    await this.#until(ACTIVATION_AT);
    const activated = await this.#activate(onts);
    await this.#until(TRAFFIC_AT);
    await this.#traffic(activated);
    await this.#until(SUSPENSION_AT);
    const [first] = activated;
    if (first !== undefined) await this.#suspend(first);
    await this.#until(METRICS_AT);
    await finalMetrics(this.#o);
    return this.#transfers;
  }

  #moved({ ontSerial }: OntHost, { down, up }: { readonly down: number; readonly up: number }): void {
    const before = this.#transfers.get(ontSerial) ?? { down: 0, up: 0 };
    this.#transfers.set(ontSerial, { down: before.down + down, up: before.up + up });
  }

  async #until(second: number): Promise<void> {
    const { durationSeconds, signal } = this.#o;
    const dueMs = this.#beganMs + ((second * durationSeconds) / FULL_LENGTH) * 1000;
    await sleep(Math.max(0, dueMs - performance.now()), undefined, { signal });
  }

  /** ONTs appear one after another; each is followed to its lease in the garden. */
  async #connect(): Promise<OntHost[]> {
    const { lab, subscribers } = this.#o;
    const followed: Promise<OntHost>[] = [];
    for (let n = 1; n <= subscribers; n++) {
      await this.#until((ONTS_PLUGGED_BY * (n - 1)) / subscribers);
      const host = await lab.plug({
        ontSerial: demoSerial(n),
        port: `1/1/${n}`,
        tagging: 'qinq',
        cVlan: n,
        client: 'udhcpc',
      });
      followed.push(this.#followToGarden(host).then(() => host));
    }
    return Promise.all(followed);
  }

  async #followToGarden(host: OntHost): Promise<void> {
    const leased = await this.#expectLease(host, GARDEN_NETWORK);
    if (!leased) return;
    await this.#expectState(host, 'wgar');
    await this.#expectGarden(host);
  }

  /** Waits for a lease of `network` and for its address on the client's interface. */
  async #expectLease(host: OntHost, network: Ipv4Prefix): Promise<boolean> {
    const { narrator } = this.#o;
    const began = performance.now();
    const lease = await host.waitForLease(LEASE_DEADLINE_MS, ({ address }) =>
      prefixContains(network, parseIpv4(address)),
    );
    const onInterface = await host.address();
    const waitedMs = Math.round(performance.now() - began);
    if (lease === null) {
      const had = host.lease?.address ?? 'none';
      return narrator.check(
        'DHCP',
        false,
        `${host.ontSerial} has no lease of ${formatPrefix(network)} after ${waitedMs} ms (has ${had})`,
      );
    }
    const { address, router, dns, leaseSeconds } = lease;
    return narrator.check(
      'DHCP',
      onInterface?.address === address,
      `${host.ontSerial} has ${address}, router ${router}, dns ${dns.join(' ')}, for ${leaseSeconds} s (on its eth0: ${onInterface?.address ?? 'nothing'})`,
      { ont: host.ontSerial, address, router, dns, leaseSeconds, waitedMs },
    );
  }

  async #expectState(host: OntHost, expected: string): Promise<void> {
    const { status, body } = await this.#o.bng.get(`/api/v1/sessions/${host.ontSerial}`);
    const state = status === 200 ? body['state'] : `HTTP ${status}`;
    const pool = String(body['pool']);
    const text = `${host.ontSerial} ${String(state)}, pool ${pool}, line ${lineText(body['attachment'])}, lease ${String(body['lease_phase'])}`;
    this.#o.narrator.check('SESSION', state === expected, text, { ont: host.ontSerial, state, pool });
  }

  /** What a walled subscriber can and cannot reach. */
  async #expectGarden(host: OntHost): Promise<void> {
    const [name, portal, https, ping, allowed] = await Promise.all([
      host.dnsQuery('www.example.net', '8.8.8.8'),
      host.httpGet(`http://${internet}/`),
      host.tcpConnect(internet, 443, BLOCKED_MS),
      host.ping(internet, { timeoutMs: BLOCKED_MS }),
      host.httpGet(`http://${gardenAllowed}/`),
    ]);
    const isPortal = portal.ok && !portal.body.includes('server internet');
    const isAllowed = allowed.ok && allowed.body.includes('server garden-allowed');
    const text = [
      `${host.ontSerial} DNS ${name ?? 'no answer'}`,
      `http://${internet}/ shows ${isPortal ? 'the portal' : portal.ok ? 'the INTERNET' : portal.reason}`,
      `${gardenAllowed} ${isAllowed ? 'open' : 'CLOSED'}`,
      `TCP 443 ${https}`,
      `ping ${ping.received}/${ping.sent}`,
    ].join(', ');
    const came = name !== null && isPortal && isAllowed && https !== 'connected' && ping.received === 0;
    this.#o.narrator.check('GARDEN', came, text, { ont: host.ontSerial, https, pings: ping.received });
  }

  async #expectInternet(host: OntHost): Promise<void> {
    const [page, https, ping] = await Promise.all([
      host.httpGet(`http://${internet}/`),
      host.tcpConnect(internet, 443),
      host.ping(internet),
    ]);
    const isInternet = page.ok && page.body.includes('server internet');
    const seenAs = page.ok ? (/client (\S+)/.exec(page.body)?.[1] ?? 'nobody') : page.reason;
    const text = `${host.ontSerial} reaches ${internet}: http ${isInternet ? 'open' : 'CLOSED'} (seen there as ${seenAs}), TCP 443 ${https}, ping ${ping.received}/${ping.sent}`;
    const came = isInternet && seenAs === host.lease?.address && https === 'connected' && ping.received > 0;
    this.#o.narrator.check('ACCESS', came, text, { ont: host.ontSerial, seenAs });
  }

  /** Seven of ten get a service, one of them after another being for business. */
  async #activate(onts: readonly OntHost[]): Promise<OntHost[]> {
    const chosen = onts.slice(0, Math.max(1, Math.round(onts.length * 0.7)));
    await Promise.all(
      chosen.map((host, index) => this.#activateOne(host, index % 3 === 2 ? BUSINESS : RESIDENTIAL)),
    );
    return chosen;
  }

  async #activateOne(host: OntHost, service: typeof RESIDENTIAL): Promise<void> {
    const { bng, narrator } = this.#o;
    const losses = host.carrierLosses;
    const { status, body } = await bng.post('/api/v1/activate', { ont_serial: host.ontSerial, ...service });
    const session = (body['session'] ?? {}) as Record<string, unknown>;
    const states = `${String(session['old_state'])} to ${String(session['new_state'])}`;
    const ordered = narrator.check(
      'ACTIVATE',
      status === 200,
      `${host.ontSerial} ${service.service_id}: HTTP ${status}, ${states}, old address ${String(session['old_ip'])}`,
      { ont: host.ontSerial, service: service.service_id, status },
    );
    if (!ordered) return;
    const bounced = await host.waitForCarrierLosses(losses + 1, LEASE_DEADLINE_MS);
    narrator.check('OLT', bounced, `${host.ontSerial} its UNI link went down and came back`, {
      ont: host.ontSerial,
    });
    if (!(await this.#expectLease(host, service === BUSINESS ? BUSINESS_NETWORK : RESIDENTIAL_NETWORK)))
      return;
    await this.#expectState(host, 'active');
    await this.#expectInternet(host);
  }

  /** Everybody moves data; the kernel's counters must have seen at least that. */
  async #traffic(onts: readonly OntHost[]): Promise<void> {
    const { bng, narrator } = this.#o;
    await Promise.all(
      onts.map(async (host) => {
        const before = await this.#counters(host);
        const down = await host.download(`http://${internet}/bytes/${DOWNLOAD_BYTES}`, 15_000);
        const up = await host.upload(`http://${internet}/upload`, UPLOAD_BYTES, 15_000);
        this.#moved(host, { down: down.bytes, up: up.bytes });
        const after = await this.#counters(host);
        const counted = { down: after.down - before.down, up: after.up - before.up };
        const came =
          down.ok && up.ok && counted.down >= BigInt(DOWNLOAD_BYTES) && counted.up >= BigInt(UPLOAD_BYTES);
        const rate = down.ok ? `${((down.bytes * 8) / down.seconds / 1e6).toFixed(0)} Mbit/s` : down.reason;
        narrator.check(
          'TRAFFIC',
          came,
          `${host.ontSerial} down ${down.bytes} B at ${rate}, up ${up.bytes} B; the kernel counted ${counted.down} B down, ${counted.up} B up`,
          { ont: host.ontSerial, downBytes: down.bytes, upBytes: up.bytes },
        );
      }),
    );
    const { status } = await bng.get('/api/v1/drops');
    narrator.check('TRAFFIC', status === 200, `drop counters read: HTTP ${status}`);
  }

  async #counters(host: OntHost): Promise<{ readonly down: bigint; readonly up: bigint }> {
    const { body } = await this.#o.bng.get(`/api/v1/sessions/${host.ontSerial}`);
    const traffic = (body['traffic'] ?? {}) as Record<string, string>;
    return { down: BigInt(traffic['downstream_bytes'] ?? 0), up: BigInt(traffic['upstream_bytes'] ?? 0) };
  }

  /** One does not pay: a download that is under way must die, and the garden is all that is left. */
  async #suspend(host: OntHost): Promise<void> {
    const { bng, narrator } = this.#o;
    const download = host.download(`http://${internet}/bytes/${10 ** 11}`, 15_000);
    const order = { ont_serial: host.ontSerial, reason: 'payment failed' };
    await sleep(300, undefined, { signal: this.#o.signal });
    const { status, body } = await bng.post('/api/v1/suspend', order);
    const session = (body['session'] ?? {}) as Record<string, unknown>;
    const states = `${String(session['old_state'])} to ${String(session['new_state'])}`;
    narrator.check(
      'SUSPEND',
      status === 200,
      `${host.ontSerial} for failed payment: HTTP ${status}, ${states}`,
      {
        ont: host.ontSerial,
      },
    );
    if (!(await this.#expectLease(host, GARDEN_NETWORK))) return;
    await this.#expectState(host, 'suspended');
    await this.#expectGarden(host);
    const cut = await download;
    this.#moved(host, { down: cut.bytes, up: 0 });
    narrator.check(
      'SUSPEND',
      !cut.ok && cut.stalled && cut.bytes > 0,
      `${host.ontSerial} the download under way ended after ${cut.bytes} B: ${cut.ok ? 'it was NOT cut' : cut.stalled ? 'cut' : cut.reason}`,
      { ont: host.ontSerial, bytes: cut.bytes },
    );
  }
}

function lineText(attachment: unknown): string {
  if (typeof attachment !== 'object' || attachment === null) return 'none';
  const { s_vlan: sVlan, c_vlan: cVlan, mac } = attachment as Record<string, unknown>;
  return `${String(sVlan)}.${String(cVlan)} ${String(mac)}`;
}
