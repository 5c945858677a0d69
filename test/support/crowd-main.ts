/**
 * Many subscribers of raw frames as one process in a network namespace: each has equipment that leases, renews, sends numbered
 * datagrams that come back, and, where it is told to, releases and begins anew. Tells its parent over IPC what it does and what
 * was not as it should be. Decides nothing about the BNG.
 */
import { loadNative } from '../../src/dataplane/load-native.js';
import { MemoryDataplane } from '../../src/dataplane/memory-dataplane.js';
import { type Ipv4, formatIpv4, parseIpv4, parsePrefix, prefixContains } from '../../src/model/ipv4.js';
import { type Mac, parseMac } from '../../src/model/mac.js';
import { decodeDhcpFrame, encodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { decodeEthernet } from '../../src/wire/ethernet.js';
import { patience } from '../../src/lab/patience.js';
import { DhcpClient } from './dhcp-client.js';

export interface CrowdSettings {
  readonly interfaceName: string;
  readonly gatewayMac: string;
  readonly internet: string;
  readonly garden: string;
  readonly subscribers: number;
  /** The others release their lease now and then and come back. */
  readonly staying: number;
}

/** `up`, `down`: whether there is a BNG to ask. */
export type CrowdOrder = 'quiet' | 'renew' | 'up' | 'down';

export type Deed = 'discover' | 'request' | 'renew' | 'release';

export type CrowdWord =
  | { readonly did: Deed }
  | { readonly bound: string; readonly walled: boolean }
  | { readonly wrong: string }
  | { readonly account: readonly CrowdAccount[] };

export interface CrowdAccount {
  readonly serial: string;
  readonly address: string;
  readonly sent: number;
  readonly returned: number;
  readonly octets: number;
  readonly lost: number;
  readonly renewals: number;
  readonly leases: number;
  readonly probes: number;
}

const TICK_MS = 10;
const AGAIN_MS = 400;
const FLOW_MS = 100;
const ECHO_PORT = 7000;
/** Of a BNG that is up; one that is killed as soon as it is asked has to be asked again. */
const ANSWER_MS = 10_000 * patience;
const LOST_MS = 3_000;

const settings = JSON.parse(process.argv[2] ?? '{}') as CrowdSettings;
const gateway = parseMac(settings.gatewayMac);
const internet = parseIpv4(settings.internet);
const garden = parsePrefix(settings.garden);
const native = loadNative();
const nowhere = new MemoryDataplane();
const holders = new Map<Ipv4, Station>();
let isQuiet = false;
let isUp = true;

const tell = (word: CrowdWord): void => void process.send?.(word);
const between = (from: number, to: number): number => from + Math.random() * (to - from);

type Phase = 'idle' | 'discovering' | 'requesting' | 'bound' | 'renewing' | 'leaving';

class Station {
  readonly serial: string;
  readonly mac: Mac;
  readonly #frames: DhcpClient;
  readonly #stays: boolean;
  readonly #outstanding = new Map<number, number>();
  #phase: Phase = 'idle';
  #address: Ipv4 | null = null;
  #offered: { readonly address: Ipv4; readonly serverId: Ipv4 } | null = null;
  #askedMs = 0;
  /** How long it has asked in vain. */
  #waitedMs = 0;
  #tickMs = 0;
  #renewAtMs = 0;
  #leaveAtMs = Infinity;
  #flowAtMs = 0;
  #next = 0;
  sent = 0;
  returned = 0;
  octets = 0;
  lost = 0;
  renewals = 0;
  leases = 0;
  probes = 0;

  constructor(n: number) {
    this.serial = `CRASH${String(n).padStart(7, '0')}`;
    this.mac = parseMac(`02:00:00:01:00:${n.toString(16).padStart(2, '0')}`);
    this.#stays = n < settings.staying;
    const line = { circuitId: `agg-01|1/1/${n}`, remoteId: this.serial };
    this.#frames = new DhcpClient({ dataplane: nowhere, mac: this.mac, ...line });
  }

  get walled(): boolean {
    return this.#address !== null && prefixContains(garden, this.#address);
  }

  get isCalm(): boolean {
    return this.#phase === 'bound' && this.#outstanding.size === 0;
  }

  /** Forces one more renewal now. */
  renewNow(): void {
    this.#renewAtMs = 0;
  }

  account(): CrowdAccount {
    const { serial, sent, returned, octets, lost, renewals, leases, probes } = this;
    const address = this.#address === null ? '' : formatIpv4(this.#address);
    return { serial, address, sent, returned, octets, lost, renewals, leases, probes };
  }

  tick(nowMs: number): void {
    for (const [at, sentMs] of this.#outstanding) {
      if (nowMs - sentMs < LOST_MS) break;
      this.#outstanding.delete(at);
      this.lost += 1;
      tell({ wrong: `${this.serial} lost datagram ${at}, in phase ${this.#phase}` });
    }
    const waits = this.#phase !== 'bound' && this.#phase !== 'leaving';
    if (waits && isUp) this.#waitedMs += nowMs - this.#tickMs;
    this.#tickMs = nowMs;
    if (this.#waitedMs > ANSWER_MS) {
      tell({ wrong: `${this.serial} got no answer, ${this.#phase} ${this.account().address}` });
      this.#waitedMs = 0;
    }
    this.#flow(nowMs);
    switch (this.#phase) {
      case 'idle':
        this.#enter('discovering', nowMs);
        return;
      case 'bound':
        if (nowMs >= this.#renewAtMs) this.#enter('renewing', nowMs);
        else if (nowMs >= this.#leaveAtMs && !isQuiet && !this.walled) this.#enter('leaving', nowMs);
        return;
      case 'leaving':
        if (this.#outstanding.size === 0) this.#release();
        return;
      default:
        if (nowMs - this.#askedMs >= AGAIN_MS) this.#ask(nowMs);
    }
  }

  hear(bytes: Uint8Array, nowMs: number): void {
    const frame = decodeDhcpFrame(bytes);
    const { options, yiaddr } = frame.message;
    const { messageType, serverIdentifier } = options;
    if (messageType === 'DHCPOFFER' && this.#phase === 'discovering' && serverIdentifier !== undefined) {
      this.#offered = { address: yiaddr, serverId: serverIdentifier };
      this.#enter('requesting', nowMs);
    } else if (messageType === 'DHCPACK' && this.#phase === 'requesting') {
      if (yiaddr === this.#offered?.address) this.#bind(yiaddr, nowMs);
    } else if (messageType === 'DHCPACK' && this.#phase === 'renewing') {
      if (yiaddr !== this.#address) tell({ wrong: `${this.serial} renewed to another address` });
      this.renewals += 1;
      this.#settle(nowMs);
    } else if (messageType === 'DHCPNAK' && (this.#phase === 'renewing' || this.#phase === 'requesting')) {
      if (this.#phase === 'renewing' && !this.walled) tell({ wrong: `${this.serial} was told NAK` });
      this.#drop();
      this.#enter('discovering', nowMs);
    }
  }

  echoed(at: number): void {
    if (this.walled) tell({ wrong: `${this.serial} reached the internet out of the garden` });
    if (this.#outstanding.delete(at)) this.returned += 1;
  }

  #flow(nowMs: number): void {
    if (this.#address === null || isQuiet || this.#phase === 'leaving' || nowMs < this.#flowAtMs) return;
    this.#flowAtMs = nowMs + between(0.5, 1.5) * FLOW_MS;
    const at = this.#next++;
    const payload = Buffer.alloc(8 + Math.floor(Math.random() * 900));
    payload.writeUInt32BE(at, 0);
    const ends = { sourceIp: this.#address, destinationIp: internet, sourcePort: 6000 };
    const macs = { destinationMac: gateway, sourceMac: this.mac, tags: [] };
    const frame = encodeDhcpFrame({ ...macs, ...ends, destinationPort: ECHO_PORT, payload });
    if (!socket.send(frame)) return;
    if (this.walled) {
      this.probes += 1;
      return;
    }
    this.sent += 1;
    this.octets += payload.length + 28;
    this.#outstanding.set(at, nowMs);
  }

  #enter(phase: Phase, nowMs: number): void {
    this.#phase = phase;
    this.#waitedMs = 0;
    this.#ask(nowMs);
  }

  #ask(nowMs: number): void {
    this.#askedMs = nowMs;
    if (this.#phase === 'discovering') {
      this.#say('discover', this.#frames.frame('DHCPDISCOVER'));
    } else if (this.#phase === 'requesting' && this.#offered !== null) {
      const { address, serverId } = this.#offered;
      this.#say('request', this.#frames.frame('DHCPREQUEST', { requestedAddress: address, serverId }));
    } else if (this.#phase === 'renewing' && this.#address !== null) {
      this.#say('renew', this.#frames.frame('DHCPREQUEST', { ciaddr: this.#address }));
    }
  }

  #say(did: Deed, frame: Uint8Array): void {
    socket.send(frame);
    tell({ did });
  }

  #bind(address: Ipv4, nowMs: number): void {
    const other = holders.get(address);
    if (other !== undefined && other !== this)
      tell({ wrong: `${formatIpv4(address)} is given to ${this.serial} and ${other.serial}` });
    holders.set(address, this);
    this.#address = address;
    this.leases += 1;
    this.#leaveAtMs = this.#stays ? Infinity : nowMs + between(800, 3_000);
    this.#settle(nowMs);
    tell({ bound: this.serial, walled: this.walled });
  }

  #settle(nowMs: number): void {
    this.#phase = 'bound';
    this.#waitedMs = 0;
    this.#renewAtMs = nowMs + (this.walled ? between(100, 300) : between(500, 3_000));
  }

  #release(): void {
    if (this.#address === null) return;
    const said = { ciaddr: this.#address };
    this.#drop();
    this.#say('release', this.#frames.frame('DHCPRELEASE', said));
    this.#phase = 'idle';
  }

  #drop(): void {
    if (this.#address !== null) holders.delete(this.#address);
    this.#address = null;
    this.#outstanding.clear();
  }
}

const stations = Array.from({ length: settings.subscribers }, (_, n) => new Station(n));
const byMac = new Map(stations.map((station) => [station.mac, station]));

const socket = native.openPacketSocket({
  ifindex: native.interfaceIndex(settings.interfaceName),
  onFrame: (bytes) => {
    const station = bytes.length < 42 ? undefined : byMac.get(decodeEthernet(bytes).destination);
    if (station === undefined || bytes[12] !== 0x08 || bytes[13] !== 0x00 || bytes[23] !== 17) return;
    const port = (bytes[34] ?? 0) * 256 + (bytes[35] ?? 0);
    if (port === 67) station.hear(bytes, performance.now());
    else if (port === ECHO_PORT) station.echoed(new DataView(bytes.buffer, bytes.byteOffset).getUint32(42));
  },
});

process.on('message', (order: CrowdOrder | 'account') => {
  if (order === 'quiet') isQuiet = true;
  else if (order === 'up' || order === 'down') isUp = order === 'up';
  else if (order === 'renew') for (const station of stations) station.renewNow();
  else tell({ account: stations.map((station) => station.account()) });
});
process.on('disconnect', () => process.exit(0));
setInterval(() => {
  const nowMs = performance.now();
  for (const station of stations) station.tick(nowMs);
}, TICK_MS);
