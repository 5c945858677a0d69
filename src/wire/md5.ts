/**
 * MD5 (RFC 1321) and HMAC-MD5 (RFC 2104), for RADIUS and for what RFC 6704 demands only: no new use of MD5 is sound. In TypeScript because a call into
 * OpenSSL costs several times what hashing a RADIUS packet does, and because OpenSSL in FIPS mode has no MD5 at all.
 */

export const MD5_LENGTH = 16;
const BLOCK = 64;

// floor(2^32 × |sin(i + 1)|), RFC 1321 §3.4.
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))) | 0);
const SHIFTS_1 = Uint8Array.of(7, 12, 17, 22);
const SHIFTS_2 = Uint8Array.of(5, 9, 14, 20);
const SHIFTS_3 = Uint8Array.of(4, 11, 16, 23);
const SHIFTS_4 = Uint8Array.of(6, 10, 15, 21);

/** The four words of a digest on its way, and how many whole blocks are in it. */
export interface Md5State {
  readonly words: Int32Array;
  readonly blocks: number;
}

const INITIAL: Md5State = {
  words: Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476),
  blocks: 0,
};

// Nothing survives a call in these: each is filled before it is read, and no call waits.
const message = new Int32Array(16);
const running = new Int32Array(4);
const tail = new Uint8Array(2 * BLOCK);

function word(table: { readonly [index: number]: number }, index: number): number {
  // Every index here is below the fixed length of its table.
  return table[index] as number;
}

function compress(state: Int32Array, bytes: Uint8Array, offset: number): void {
  for (let i = 0, at = offset; i < 16; i++, at += 4) {
    message[i] =
      word(bytes, at) |
      (word(bytes, at + 1) << 8) |
      (word(bytes, at + 2) << 16) |
      (word(bytes, at + 3) << 24);
  }
  let a = word(state, 0);
  let b = word(state, 1);
  let c = word(state, 2);
  let d = word(state, 3);
  // The four rounds of RFC 1321 §3.4, a loop each: one loop that chooses by round takes twice the time.
  for (let i = 0; i < 16; i++) {
    const sum = (a + ((b & c) | (~b & d)) + word(SINES, i) + word(message, i)) | 0;
    const shift = word(SHIFTS_1, i & 3);
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  for (let i = 16; i < 32; i++) {
    const sum = (a + ((d & b) | (~d & c)) + word(SINES, i) + word(message, (5 * i + 1) & 15)) | 0;
    const shift = word(SHIFTS_2, i & 3);
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  for (let i = 32; i < 48; i++) {
    const sum = (a + (b ^ c ^ d) + word(SINES, i) + word(message, (3 * i + 5) & 15)) | 0;
    const shift = word(SHIFTS_3, i & 3);
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  for (let i = 48; i < 64; i++) {
    const sum = (a + (c ^ (b | ~d)) + word(SINES, i) + word(message, (7 * i) & 15)) | 0;
    const shift = word(SHIFTS_4, i & 3);
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  state[0] = word(state, 0) + a;
  state[1] = word(state, 1) + b;
  state[2] = word(state, 2) + c;
  state[3] = word(state, 3) + d;
}

/** Digest of `bytes`, continuing from `from`; 16 bytes. */
export function md5(bytes: Uint8Array, from: Md5State = INITIAL): Uint8Array {
  running.set(from.words);
  const whole = bytes.length - (bytes.length % BLOCK);
  for (let at = 0; at < whole; at += BLOCK) compress(running, bytes, at);
  const rest = bytes.length - whole;
  const tailLength = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
  tail.fill(0);
  for (let i = 0; i < rest; i++) tail[i] = word(bytes, whole + i);
  tail[rest] = 0x80;
  // The length in bits, low byte first; beyond 2^32 bits it would need the upper half, and no packet does.
  const bits = (from.blocks * BLOCK + bytes.length) * 8;
  for (let i = 0; i < 4; i++) tail[tailLength - 8 + i] = bits >>> (8 * i);
  for (let at = 0; at < tailLength; at += BLOCK) compress(running, tail, at);
  const digest = new Uint8Array(MD5_LENGTH);
  for (let i = 0; i < MD5_LENGTH; i++) digest[i] = word(running, i >> 2) >>> (8 * (i & 3));
  return digest;
}

/** The states after the two pads of one key: with them an HMAC costs two blocks less each time (RFC 2104 §4). */
export interface HmacKey {
  readonly inner: Md5State;
  readonly outer: Md5State;
}

function padded(key: Uint8Array, pad: number): Md5State {
  const block = new Uint8Array(BLOCK).fill(pad);
  for (const [i, byte] of key.entries()) block[i] = byte ^ pad;
  const words = Int32Array.from(INITIAL.words);
  compress(words, block, 0);
  return { words, blocks: 1 };
}

export function hmacKey(secret: Uint8Array): HmacKey {
  const key = secret.length > BLOCK ? md5(secret) : secret;
  return { inner: padded(key, 0x36), outer: padded(key, 0x5c) };
}

/** HMAC-MD5 of `bytes`; 16 bytes. */
export function hmacMd5(key: HmacKey, bytes: Uint8Array): Uint8Array {
  return md5(md5(bytes, key.inner), key.outer);
}
