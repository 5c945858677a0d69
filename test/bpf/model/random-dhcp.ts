/** Random DHCP messages of clients with a lease: mostly what a client would say, each part wrong or odd now and then. */
import type { Random } from '../../support/random.js';
import type { Lease, PoolTerms } from './world.js';

type Option = readonly [code: number, value: Uint8Array];

const BOOTP = 240;
const COOKIE = 0x63825363;
const LENGTHS = [0, 300, 300, 300, 301, 333, 548, 1100];

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** The BOOTP message; `ciaddr` is not 0 in a renewal. */
export function randomRequest(
  random: Random,
  of: { readonly lease: Lease; readonly chaddr: Buffer; readonly pools: ReadonlyMap<string, PoolTerms> },
): Buffer {
  const { lease, chaddr, pools } = of;
  const renews = random.oneIn(3);
  const server = pools.get(lease.poolName)?.serverId ?? 0;
  const head = Buffer.alloc(BOOTP);
  head.set([random.oneIn(60) ? 2 : 1, random.oneIn(60) ? 6 : 1, random.oneIn(60) ? 5 : 6, random.below(2)]);
  head.writeUInt32BE(random.below(0x10000) * 0x10000 + random.below(0x10000), 4);
  head.writeUInt16BE(random.below(100), 8);
  head.writeUInt16BE(random.pick([0, 0, 0x8000, random.below(0x10000)]), 10);
  if (renews) head.writeUInt32BE(either(random, lease.address), 12);
  if (random.oneIn(12)) head.writeUInt32BE(0xc0000209, 24);
  head.set(chaddr, 28);
  if (random.oneIn(20)) head.set(bytes(random, 10), 34);
  if (random.oneIn(20)) head.set(bytes(random, 64), 44);
  head.writeUInt32BE(random.oneIn(60) ? 0 : COOKIE, 236);
  const options = shuffled(random, optionsOf(random, { lease, renews, server })).map(([code, value]) =>
    code === 0 ? Buffer.alloc(value.length) : Buffer.concat([Buffer.of(code, value.length), value]),
  );
  const all = Buffer.concat([head, ...options, random.oneIn(30) ? Buffer.alloc(0) : Buffer.of(255)]);
  return Buffer.concat([all, Buffer.alloc(Math.max(0, random.pick(LENGTHS) - all.length))]);
}

function optionsOf(
  random: Random,
  of: { readonly lease: Lease; readonly renews: boolean; readonly server: number },
): Option[] {
  const type = random.pick([1, 1, 1, 3, 3, 3, 3, 3, random.below(12)]);
  const options: Option[] = [[53, Buffer.of(type)]];
  if (!of.renews && type !== 1) options.push([50, word(either(random, of.lease.address))]);
  if (!of.renews && random.oneIn(2)) options.push([54, word(either(random, of.server))]);
  if (random.oneIn(2)) options.push([61, bytes(random, random.pick([0, 1, 7, 19, 20, random.below(256)]))]);
  if (random.oneIn(3)) options.push([57, bytes(random, random.pick([2, 2, 2, 2, 3]))]);
  if (random.oneIn(60)) options.push([52, Buffer.of(1)]);
  if (random.oneIn(40)) options.push([145, Buffer.of(1)]);
  for (let more = random.below(4); more > 0; more--) {
    options.push([random.pick([12, 55, 60, 77, 81, random.below(254) + 1]), bytes(random, random.below(20))]);
  }
  if (random.oneIn(6)) options.push([0, new Uint8Array(random.pick([1, 2, 3, 4, 50]))]);
  if (random.oneIn(40)) options.push(random.pick(options));
  const { option82 } = of.lease;
  if (random.oneIn(30)) options.push([82, bytes(random, random.below(30))]);
  else if (option82.length > 0) options.push([82, option82]);
  return options;
}

/** The value, or one time in thirty another. */
function either(random: Random, value: number): number {
  return random.oneIn(30) ? value + 1 : value;
}

function bytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function shuffled(random: Random, options: readonly Option[]): readonly Option[] {
  const left = [...options];
  const out: Option[] = [];
  while (left.length > 0) out.push(...left.splice(random.below(left.length), 1));
  return out;
}
