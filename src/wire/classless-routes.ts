/** Classless static routes, the value of option 121 (RFC 3442): destination descriptors and routers. Holds no routing. */
import { BngError } from '../model/bng-error.js';
import { ipv4FromNumber, prefixMask } from '../model/ipv4.js';
import type { ClasslessRoute } from '../model/lease.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { DhcpOption } from './dhcpv4-option-codes.js';

const LONGEST_PREFIX = 32;
const ADDRESS_BYTES = 4;

function significantBytes(prefixLength: number): number {
  return Math.ceil(prefixLength / 8);
}

/** The width of the mask, of the destination its significant bytes only, and the router; one route behind another. */
export function encodeClasslessRoutes(routes: readonly ClasslessRoute[]): Uint8Array {
  const lengths = routes.map(({ to }) => 1 + significantBytes(to.length) + ADDRESS_BYTES);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  const writer = new ByteWriter(bytes);
  for (const { to, via } of routes) {
    writer.u8(to.length);
    for (let at = 0; at < significantBytes(to.length); at++) writer.u8((to.network >>> (24 - 8 * at)) & 0xff);
    writer.ipv4(via);
  }
  return bytes;
}

/**
 * Throws `BNG_ERR_WIRE_MALFORMED` for a mask of more than 32 bits and for no route at all, `BNG_ERR_WIRE_TRUNCATED` for a
 * route that is not whole. Bits of a destination behind its mask are taken away (RFC 3442: receivers must ignore them).
 */
export function decodeClasslessRoutes(value: Uint8Array): readonly ClasslessRoute[] {
  const reader = new ByteReader(value);
  const routes: ClasslessRoute[] = [];
  do {
    const offset = reader.offset;
    const length = reader.u8();
    if (length > LONGEST_PREFIX) {
      throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected a mask of at most 32 bits in DHCP option 121', {
        option: DhcpOption.ClasslessRoutes,
        offset,
        found: length,
      });
    }
    let destination = 0;
    for (let at = 0; at < significantBytes(length); at++) destination += reader.u8() * 2 ** (24 - 8 * at);
    const network = ipv4FromNumber((destination & prefixMask(length)) >>> 0);
    routes.push({ to: { network, length }, via: reader.ipv4() });
  } while (reader.remaining > 0);
  return routes;
}
