/** The Internet checksum (RFC 1071). Bytes in, numbers out. */

/**
 * Adds the 16-bit words of `bytes[start, end)` to `sum`; an odd last byte counts as the high half of a word
 * (RFC 1071 §4.1). Sums of up to 64 KiB stay exact; fold once, at the end.
 */
export function addWords(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let total = sum;
  let i = start;
  for (; i + 1 < end; i += 2) total += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  if (i < end) total += (bytes[i] ?? 0) << 8;
  return total;
}

/** The ones' complement of the folded sum. Over data that includes a correct checksum it is 0. */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** The checksum of `bytes[start, end)` with its checksum field taken as it stands. */
export function internetChecksum(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return foldChecksum(addWords(bytes, start, end));
}
