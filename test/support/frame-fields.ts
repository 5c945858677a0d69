/** Reads single fields of captured frames, whatever tags they bear. No decoder of ours is used. */

/** Where the IPv4 header begins in a frame with any tags; null when it is no IPv4 frame. */
export function ipv4At(frame: Buffer): number | null {
  let at = 12;
  while (at + 2 <= frame.length && (frame.readUInt16BE(at) === 0x8100 || frame.readUInt16BE(at) === 0x88a8))
    at += 4;
  return at + 22 <= frame.length && frame.readUInt16BE(at) === 0x0800 ? at + 2 : null;
}

export function sourceOf(frame: Buffer): string | null {
  const at = ipv4At(frame);
  return at === null ? null : frame.subarray(at + 12, at + 16).join('.');
}

export function destinationOf(frame: Buffer): string | null {
  const at = ipv4At(frame);
  return at === null ? null : frame.subarray(at + 16, at + 20).join('.');
}

/** The address and port that the second segment of a TCP handshake (SYN and ACK) is from; null for any other frame. */
export function openingFrom(frame: Buffer): string | null {
  const at = ipv4At(frame);
  if (at === null || frame[at + 9] !== 6) return null;
  const tcp = at + 4 * (frame.readUInt8(at) & 0x0f);
  if (tcp + 14 > frame.length || frame[tcp + 13] !== 0x12) return null;
  return `${sourceOf(frame)}:${frame.readUInt16BE(tcp)}`;
}
