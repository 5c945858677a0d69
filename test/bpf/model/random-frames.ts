/**
 * Random frames with structure: whole ones of the world's subscribers and of strangers, with anything about them wrong
 * now and then. Written into one buffer, since a million of them is wanted. Knows no verdict.
 */
import { address } from '../../support/packet.js';
import type { Random } from '../../support/random.js';
import type { ProgramName } from '../rig.js';
import { randomRequest } from './random-dhcp.js';
import { LISTED_PORTS, LOCAL, OUTSIDE, randomAddress, randomMac } from './random-world.js';
import { stationOf, type Subscriber, type World } from './world.js';

export interface RandomFrame {
  readonly program: ProgramName;
  readonly frame: Buffer;
  /** Where it comes in, or leaves. */
  readonly ifindex: number;
}

/** 198.18.N.0/24 are routes that each end in another way; the rest are no ordinary destinations. */
const ROUTED = [1, 2, 3, 4, 5, 6].map((third) => address(`198.18.${third}.1`));
const ODD = ['0.0.0.0', '127.0.0.1', '224.0.0.1', '239.1.2.3', '240.0.0.1', '255.255.255.255'].map(address);
const MACHINE = ['192.0.2.2', '192.0.2.255', '192.0.2.1', '192.0.2.77', '192.0.3.2', '192.0.3.1'].map(
  address,
);
const NOISE_BYTES = 1 << 16;
const LARGEST = 3_000;
/** What a test run takes: an Ethernet header and a byte; as an skb a whole IPv6 header, where the type says so. */
const LEAST_FRAME = 15;
const LEAST_SKB = 54;

export class RandomFrames {
  readonly #random: Random;
  readonly #world: World;
  readonly #scratch = Buffer.alloc(4096);
  readonly #noise: Buffer;
  readonly #coreIfindex: number;
  #at = 0;
  #port = 0;

  constructor(random: Random, world: World, coreIfindex: number) {
    this.#random = random;
    this.#world = world;
    this.#coreIfindex = coreIfindex;
    this.#noise = Buffer.from(Uint8Array.from({ length: NOISE_BYTES }, () => random.below(256)));
  }

  /** `storm` makes most frames DHCP from the access port. */
  next(storm: boolean): RandomFrame {
    const draw = this.#random.below(100);
    this.#at = 0;
    if (storm ? draw < 90 : draw < 7) this.#dhcp();
    else if (draw < 56) this.#upstream();
    else if (draw < 62) this.#arp();
    else if (draw < 64) this.#otherProtocol();
    else return this.#downstream(draw < 88 ? 'bng_core' : 'bng_egress');
    return { program: 'bng_access', frame: this.#finished(LEAST_FRAME), ifindex: this.#port };
  }

  #subscriber(): Subscriber {
    const held = [...this.#world.subscribers.values()];
    return this.#random.pick(held);
  }

  /** Mostly the subscriber's own; one of the access ports in any case. */
  #portOf(subscriber: Subscriber): number {
    const { accessPorts } = this.#world.settings;
    const own = accessPorts.has(subscriber.ifindex) && !this.#random.oneIn(24);
    return own ? subscriber.ifindex : this.#random.pick([...accessPorts.keys()]);
  }

  #accessMac(): Buffer {
    return this.#world.portMac(this.#port);
  }

  #upstream(): void {
    const from = this.#subscriber();
    this.#line(from);
    this.#ipv4(this.#random.oneIn(12) ? this.#anyAddress() : from.address, this.#anyAddress());
  }

  #dhcp(): void {
    const random = this.#random;
    const from = this.#subscriber();
    const start = this.#line(from, random.oneIn(2) ? BROADCAST_MAC : undefined);
    const lease = this.#world.leases.get(stationOf(from));
    if (lease !== undefined && !random.oneIn(3)) {
      const chaddr = random.oneIn(24) ? from.mac : this.#scratch.subarray(start + 6, start + 12);
      this.#message(from, randomRequest(random, { lease, chaddr, pools: this.#world.options.pools }));
      return;
    }
    const [source, destination] = random.oneIn(8) ? [67, 68] : [random.pick([67, 68]), 67];
    const to = random.oneIn(4)
      ? this.#anyAddress()
      : random.oneIn(2)
        ? 0xffffffff
        : random.pick([...LOCAL.keys()]);
    const payload = random.oneIn(8) ? random.below(LARGEST) : 240 + random.below(400);
    this.#ipv4(random.oneIn(2) ? 0 : from.address, to, { protocol: 17, source, destination, payload });
  }

  /** A client's message as it mostly is: broadcast, or to a gateway from the address that is leased. */
  #message(from: Subscriber, message: Buffer): void {
    const random = this.#random;
    const renews = message.readUInt32BE(12) !== 0;
    const to = renews && random.oneIn(2) ? random.pick([...LOCAL.keys()]) : 0xffffffff;
    const ports = { protocol: 17, source: random.oneIn(30) ? 67 : 68, destination: 67 };
    this.#ipv4(renews ? from.address : 0, to, { ...ports, payload: message.length, message });
  }

  #arp(): void {
    const random = this.#random;
    const from = this.#subscriber();
    const at = this.#line(from, BROADCAST_MAC);
    this.#u16(0x0806);
    this.#u16(random.oneIn(30) ? random.below(8) : 1);
    this.#u16(random.oneIn(30) ? 0x86dd : 0x0800);
    this.#u16(random.oneIn(30) ? 0x0804 : 0x0604);
    this.#u16(random.oneIn(8) ? random.below(5) : 1);
    if (random.oneIn(12)) this.#bytes(randomMac(random));
    else this.#bytes(this.#scratch.subarray(at + 6, at + 12));
    this.#u32(random.oneIn(4) ? 0 : random.oneIn(12) ? this.#anyAddress() : from.address);
    this.#bytes(randomMac(random));
    const target = random.oneIn(2) ? random.pick([...LOCAL.keys()]) : this.#anyAddress();
    this.#u32(random.oneIn(6) ? 0 : target);
    if (random.oneIn(2)) this.#fill(18);
  }

  #otherProtocol(): void {
    this.#line(this.#subscriber());
    this.#u16(this.#random.pick([0x86dd, 0x8863, 0x88cc, 0x0842, this.#random.below(65_536)]));
    this.#fill(this.#random.below(60));
  }

  #downstream(program: ProgramName): RandomFrame {
    const random = this.#random;
    const least = program === 'bng_egress' ? LEAST_SKB : LEAST_FRAME;
    const to = this.#subscriber();
    const ifindex = program === 'bng_core' ? this.#coreIfindex : this.#portOf(to);
    this.#bytes(random.oneIn(30) ? BROADCAST_MAC : randomMac(random));
    this.#bytes(randomMac(random));
    if (random.oneIn(30)) this.#tags([{ tpid: 0x8100, vlan: random.below(4096) }]);
    if (random.oneIn(60)) {
      this.#u16(random.pick([0x0806, 0x86dd, 0x88cc]));
      this.#fill(random.below(60));
      return { program, frame: this.#finished(least), ifindex };
    }
    const source = random.oneIn(3) ? this.#anyAddress() : random.pick(OUTSIDE);
    const reply = random.oneIn(20) ? { protocol: 17, source: 67, destination: 68 } : {};
    this.#ipv4(
      random.oneIn(20) ? random.pick([...LOCAL.keys()]) : source,
      random.oneIn(8) ? this.#anyAddress() : to.address,
      reply,
    );
    return { program, frame: this.#finished(least), ifindex };
  }

  /** Port, Ethernet and tags of a station, mostly the subscriber's own; where the frame begins. */
  #line(from: Subscriber, destination?: Buffer): number {
    const random = this.#random;
    this.#port = this.#portOf(from);
    const at = this.#at;
    this.#bytes(destination ?? this.#destinationMac());
    this.#bytes(random.oneIn(16) ? randomMac(random) : from.mac);
    if (random.oneIn(24)) this.#tags([{ tpid: 0x8100, vlan: 0 }]);
    if (!random.oneIn(40)) this.#tags(from.tags);
    if (random.oneIn(24)) this.#tags([{ tpid: 0x88a8, vlan: random.pick([0, 1, 2, 100]) }]);
    return at;
  }

  /** TPIDs are no part of a line, priorities neither. */
  #tags(tags: Subscriber['tags']): void {
    for (const { tpid, vlan } of tags) {
      this.#u16(this.#random.oneIn(10) ? 0x8100 : tpid);
      this.#u16(vlan + (this.#random.oneIn(4) ? this.#random.below(16) * 4096 : 0));
    }
  }

  #ipv4(
    source: number,
    destination: number,
    wanted: {
      readonly protocol?: number;
      readonly source?: number;
      readonly destination?: number;
      readonly payload?: number;
      /** UDP's payload, of that length, under a checksum that is mostly right. */
      readonly message?: Buffer;
    } = {},
  ): void {
    const random = this.#random;
    const protocol = wanted.protocol ?? random.pick([6, 6, 6, 17, 17, 17, 1, 1, 47, random.below(256)]);
    const payload = wanted.payload ?? this.#payloadLength();
    const options = random.oneIn(24) ? 4 * (1 + random.below(10)) : 0;
    const above = { 6: 20, 17: 8, 1: 8 }[protocol] ?? 0;
    const total = 20 + options + above + payload;
    this.#u16(0x0800);
    const at = this.#at;
    const words = random.oneIn(100) ? random.below(16) : 5 + options / 4;
    this.#u16(((random.oneIn(200) ? random.below(16) : 4) * 16 + words) * 256 + random.below(256));
    this.#u16(random.oneIn(60) ? random.below(65_536) : total);
    this.#u16(random.below(65_536));
    const fragment = random.oneIn(24) ? random.pick([0x2000, 1, 185, 0x2001]) : 0;
    this.#u16(fragment + (random.oneIn(3) ? 0x4000 : 0) + (random.oneIn(100) ? 0x8000 : 0));
    this.#u16(random.pick(TTLS) * 256 + protocol);
    this.#u16(0);
    this.#u32(source);
    this.#u32(destination);
    for (let word = 0; word < options; word += 4) this.#u32(0x01010101);
    this.#checksum(at);
    this.#transport(protocol, wanted, total - 20 - options);
    if (wanted.message === undefined) this.#fill(payload);
    else this.#datagram(at, wanted.message);
    if (random.oneIn(8)) this.#fill(random.below(40));
  }

  /** The payload of the UDP datagram whose header was just written, in the packet at `at`. */
  #datagram(at: number, message: Buffer): void {
    const start = this.#at - 8;
    this.#bytes(message);
    const header = this.#scratch;
    if (this.#random.oneIn(16)) return;
    header.writeUInt16BE(0, start + 6);
    if (this.#random.oneIn(8)) return;
    header[this.#at] = 0;
    let sum = 17 + (this.#at - start);
    for (let word = at + 12; word < at + 20; word += 2) sum += header.readUInt16BE(word);
    for (let word = start; word < this.#at; word += 2) sum += header.readUInt16BE(word);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    header.writeUInt16BE(~sum & 0xffff || 0xffff, start + 6);
  }

  #transport(
    protocol: number,
    wanted: { readonly source?: number; readonly destination?: number },
    length: number,
  ): void {
    const random = this.#random;
    if (protocol === 1) {
      this.#u16(random.pick([0x0800, 0x0800, 0x0000, 0x0303]));
      this.#u16(random.below(65_536));
      this.#u32(random.below(65_536));
    } else if (protocol === 6 || protocol === 17) {
      const port = (): number =>
        random.oneIn(20) ? random.below(65_536) : random.oneIn(40) ? 67 : random.pick(LISTED_PORTS);
      this.#u16(wanted.source ?? port());
      this.#u16(wanted.destination ?? port());
      this.#u16(length);
      this.#u16(random.below(65_536));
      if (protocol === 6) this.#fill(12);
    }
  }

  /** Right as a rule; a wrong one must stay wrong. */
  #checksum(at: number): void {
    const header = this.#scratch;
    let sum = 0;
    for (let word = at; word < this.#at; word += 2) sum += header.readUInt16BE(word);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    const wrong = this.#random.oneIn(20)
      ? this.#random.pick([0, 0xffff, 0xfeff, this.#random.below(65_536)])
      : null;
    header.writeUInt16BE(wrong ?? ~sum & 0xffff, at + 10);
  }

  #payloadLength(): number {
    const draw = this.#random.below(20);
    if (draw < 11) return this.#random.below(64);
    if (draw < 19) return this.#random.below(1_473);
    return this.#random.pick([1_472, 1_473, 1_480, this.#random.below(LARGEST)]);
  }

  #destinationMac(): Buffer {
    if (this.#random.oneIn(40)) return this.#random.pick([BROADCAST_MAC, Buffer.from('01005e000001', 'hex')]);
    return this.#random.oneIn(20) ? randomMac(this.#random) : this.#accessMac();
  }

  #anyAddress(): number {
    const random = this.#random;
    const draw = random.below(100);
    if (draw < 45) return random.pick(OUTSIDE);
    if (draw < 60) return this.#subscriber().address;
    if (draw < 68) return random.pick([...LOCAL.keys()]);
    if (draw < 82) return random.pick(ROUTED);
    if (draw < 87) return random.pick(ODD);
    if (draw < 92) return random.pick(MACHINE);
    if (draw < 96) return randomAddress(random);
    return random.below(65_536) * 65_536 + random.below(65_536);
  }

  /** What was written, sometimes cut or with a byte changed, never shorter than `least`. */
  #finished(least: number): Buffer {
    const random = this.#random;
    const whole = Math.max(this.#at, least);
    const length = random.oneIn(24) ? least + random.below(whole - least + 1) : whole;
    const frame = Buffer.from(this.#scratch.subarray(0, length));
    if (random.oneIn(12)) frame[random.below(Math.min(length, 64))] = random.below(256);
    return frame;
  }

  #u16(value: number): void {
    this.#at = this.#scratch.writeUInt16BE(value, this.#at);
  }

  #u32(value: number): void {
    this.#at = this.#scratch.writeUInt32BE(value >>> 0, this.#at);
  }

  #bytes(bytes: Buffer): void {
    this.#at += bytes.copy(this.#scratch, this.#at);
  }

  #fill(length: number): void {
    const from = this.#random.below(NOISE_BYTES - length);
    this.#at += this.#noise.copy(this.#scratch, this.#at, from, from + length);
  }
}

const BROADCAST_MAC = Buffer.alloc(6, 0xff);
const TTLS = [0, 1, 1, 2, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 128, 255];
