/** Mends what a change to a frame breaks at once, so that the change gets further. */
import { internetChecksum } from '../../src/wire/checksum.js';

/** A copy whose IPv4 header at `offset` has the right checksum, and whose UDP datagram has none (RFC 768). */
export function withRightSums(frame: Uint8Array, offset: number): Uint8Array {
  const copy = Uint8Array.from(frame);
  const headerLength = ((copy[offset] ?? 0) & 0x0f) * 4;
  copy.fill(0, offset + 10, offset + 12);
  copy.fill(0, offset + headerLength + 6, offset + headerLength + 8);
  const sum = internetChecksum(copy, offset, Math.min(copy.length, offset + headerLength));
  if (offset + 12 <= copy.length) copy.set([sum >>> 8, sum & 0xff], offset + 10);
  return copy;
}
