/** Random frames against the independent model: what must not leave does not leave, whatever the bytes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type PacketBuilder, packet } from '../support/packet.js';
import { Random } from '../support/random.js';
import { downstreamAllowed, upstreamLimit } from './model.js';
import { ACCESS_MAC, CORE_MAC, NEXT_HOP_MAC, enterNamespace } from './namespace.js';
import { Rig, type Station, Stations, type Tags, Xdp } from './rig.js';
import { tagged } from './table.js';

enterNamespace(import.meta.url);

const rig = new Rig();
after(() => rig.close());

const FRAMES = 20_000;
const SEED = 20_250_611;

const stations: readonly Station[] = Object.values(Stations);
const OUTSIDE = [
  '8.8.8.8',
  '203.0.113.10',
  '203.0.113.77',
  '198.51.100.7',
  '198.18.1.1',
  '198.18.6.1',
  '0.0.0.0',
];
const OURS = [
  '10.0.0.1',
  '10.255.0.1',
  '10.255.0.2',
  '192.0.2.2',
  '10.0.9.9',
  '239.1.1.1',
  '255.255.255.255',
];
const ADDRESSES = [...OUTSIDE, ...OURS, ...stations.map((station) => station.address)];
const PORTS = [53, 67, 68, 80, 443, 8443, 1024];
const EXTRA_TAGS: readonly Tags[] = [[], [[0x8100, 0]], [[0x8100, 999]], [[0x88a8, 300]]];

/** Mostly well-formed, so that most frames get deep into the program. */
function transport(
  random: Random,
  ethernet: PacketBuilder,
  source: string,
  destination: string,
): PacketBuilder {
  const ports = { source: random.pick(PORTS), destination: random.pick(PORTS) };
  const ip = ethernet.ipv4({
    source,
    destination,
    ttl: random.pick([0, 1, 2, 64, 64, 64, 64, 255]),
    moreFragments: random.oneIn(10),
    fragmentOffset: random.oneIn(10) ? random.below(100) : 0,
    ...(random.oneIn(10) ? { options: Buffer.from([1, 1, 1, 0]) } : {}),
    ...(random.oneIn(30) ? { headerWords: random.below(16) } : {}),
    ...(random.oneIn(30) ? { totalLength: random.below(200) } : {}),
  });
  const above = random.pick([
    () => ip.udp(ports),
    () => ip.tcp(ports),
    () => ip.icmp(random.pick([0, 8, 3])),
    () => ip,
  ]);
  return above().payload(Buffer.alloc(random.below(40), random.below(256)));
}

function damaged(random: Random, frame: Buffer): Buffer {
  if (random.oneIn(8)) frame[random.below(frame.length)] = random.below(256);
  if (random.oneIn(8)) return frame.subarray(0, Math.max(15, random.below(frame.length)));
  return frame;
}

function upstreamFrame(random: Random): Buffer {
  const line = random.pick(stations);
  const source = random.oneIn(6) ? random.pick(ADDRESSES) : line.address;
  const mac = random.oneIn(10) ? random.pick(stations).mac : line.mac;
  const ethernet = tagged(
    packet().ethernet(ACCESS_MAC, mac),
    random.oneIn(12) ? random.pick(EXTRA_TAGS) : [],
  );
  const destination = random.oneIn(2) ? random.pick(OUTSIDE) : random.pick(ADDRESSES);
  return damaged(random, transport(random, tagged(ethernet, line.tags), source, destination).bytes());
}

function downstreamFrame(random: Random): Buffer {
  const destination = random.oneIn(6)
    ? random.pick(ADDRESSES)
    : random.pick([Stations.walled, Stations.qinq]).address;
  const ethernet = packet().ethernet(CORE_MAC, NEXT_HOP_MAC);
  return damaged(random, transport(random, ethernet, random.pick(ADDRESSES), destination).bytes());
}

/** The header's sum as RFC 1071 folds it: 0xffff when the checksum in it is right. */
function headerSum(ip: Buffer): number {
  let sum = 0;
  for (let at = 0; at < (ip[0]! & 15) * 4; at += 2) sum += ip.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** Where the IPv4 header of a frame with tags begins. */
function ipv4Of(frame: Buffer): Buffer {
  let at = 12;
  while (frame.readUInt16BE(at) !== 0x0800) at += 4;
  return frame.subarray(at + 2);
}

/** What comes back is a whole reset from where the SYN went to where it came from, with right sums, and no longer. */
function assertRefusal(out: Buffer, frame: Buffer, where: string): void {
  const [answer, asked] = [ipv4Of(out), ipv4Of(frame)];
  assert.equal(out.length, frame.length, where);
  assert.deepEqual(out.subarray(0, 6), frame.subarray(6, 12), where);
  assert.equal(headerSum(answer), 0xffff, where);
  assert.equal(answer.readUInt16BE(2), 40, where);
  assert.deepEqual(
    answer.subarray(12, 20),
    Buffer.concat([asked.subarray(16, 20), asked.subarray(12, 16)]),
    where,
  );
  assert.equal(answer[20 + 13], 0x14, where);
  const pseudo = Buffer.concat([
    answer.subarray(12, 20),
    Buffer.from([0, 6, 0, 20]),
    answer.subarray(20, 40),
  ]);
  let sum = 0;
  for (let at = 0; at < pseudo.length; at += 2) sum += pseudo.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  assert.equal(sum, 0xffff, where);
}

test(`of ${FRAMES} random frames from the access port none leaves that must not`, () => {
  const random = new Random(SEED);
  const reached = new Map<string, number>();
  for (let index = 0; index < FRAMES; index++) {
    const frame = upstreamFrame(random);
    const limit = upstreamLimit(frame);
    const { returnValue, dataOut } = rig.runOnly('bng_access', frame);
    const where = `seed ${SEED} frame ${index}: ${frame.toString('hex')}`;
    assert.ok(
      [Xdp.drop, Xdp.pass, Xdp.redirect, Xdp.tx].some((code) => code === returnValue),
      where,
    );
    if (returnValue === Xdp.tx) assertRefusal(Buffer.from(dataOut), frame, where);
    if (returnValue === Xdp.redirect) {
      assert.equal(limit, 'core', where);
      assert.equal(headerSum(ipv4Of(Buffer.from(dataOut))), headerSum(ipv4Of(frame)), where);
    }
    if (returnValue === Xdp.pass) assert.notEqual(limit, 'nowhere', where);
    if (returnValue === Xdp.pass || returnValue === Xdp.redirect)
      assert.equal(Buffer.from(dataOut).readUInt16BE(12), 0x0800, where);
    reached.set(`${returnValue} ${limit}`, (reached.get(`${returnValue} ${limit}`) ?? 0) + 1);
  }
  // The generator is worth something only if it meets every kind of end.
  for (const end of [
    `${Xdp.redirect} core`,
    `${Xdp.pass} stack`,
    `${Xdp.pass} core`,
    `${Xdp.drop} nowhere`,
    `${Xdp.tx} nowhere`,
  ]) {
    assert.ok((reached.get(end) ?? 0) > 50, `${end}: ${reached.get(end)}`);
  }
});

test(`of ${FRAMES} random frames from the core port none reaches a walled subscriber that must not`, () => {
  const random = new Random(SEED + 1);
  const reached = new Map<string, number>();
  for (let index = 0; index < FRAMES; index++) {
    const frame = downstreamFrame(random);
    const allowed = downstreamAllowed(frame);
    const { returnValue, dataOut } = rig.runOnly('bng_core', frame);
    const where = `seed ${SEED + 1} frame ${index}: ${frame.toString('hex')}`;
    if (!allowed) assert.equal(returnValue, Xdp.drop, where);
    if (returnValue === Xdp.redirect) {
      assert.equal(headerSum(ipv4Of(Buffer.from(dataOut))), headerSum(ipv4Of(frame)), where);
    }
    reached.set(`${returnValue} ${allowed}`, (reached.get(`${returnValue} ${allowed}`) ?? 0) + 1);
  }
  for (const end of [`${Xdp.redirect} true`, `${Xdp.pass} true`, `${Xdp.drop} false`]) {
    assert.ok((reached.get(end) ?? 0) > 50, `${end}: ${reached.get(end)}`);
  }
});
