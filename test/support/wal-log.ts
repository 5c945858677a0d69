/** Write-ahead logs as SQLite writes them (https://www.sqlite.org/fileformat2.html §4), built apart from the code that checks them. */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
const VERSION = 3_007_000;
const SALTS = [0x1234_5678, 0x9abc_def0] as const;

export interface WalLog {
  readonly pageBytes: number;
  /** One a frame: the size of the database in pages where it ends a commit, else 0. */
  readonly commits: readonly number[];
  /** The byte order of the sums. */
  readonly bigEndian: boolean;
  /** What the pages are filled with, again and again. */
  readonly content: Uint8Array;
}

/** A log with right sums. */
export function walLog({ pageBytes, commits, bigEndian, content }: WalLog): Buffer {
  const log = Buffer.alloc(HEADER_BYTES + commits.length * (FRAME_HEADER_BYTES + pageBytes));
  const header = [bigEndian ? MAGIC + 1 : MAGIC, VERSION, pageBytes, 0, ...SALTS];
  for (const [index, word] of header.entries()) log.writeUInt32BE(word, index * 4);
  for (const [index, pages] of commits.entries()) {
    const at = HEADER_BYTES + index * (FRAME_HEADER_BYTES + pageBytes);
    for (const [place, word] of [index + 1, pages, ...SALTS].entries())
      log.writeUInt32BE(word, at + place * 4);
    if (content.length > 0)
      log.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + pageBytes).fill(content);
  }
  return withRightWalSums(log);
}

/** A copy whose header and whole frames have the sums that belong to what is in them. */
export function withRightWalSums(bytes: Uint8Array): Buffer {
  const log = Buffer.from(bytes);
  if (log.length < HEADER_BYTES) return log;
  const bigEndian = log.readUInt32BE(0) === MAGIC + 1;
  let sums: readonly [number, number] = [0, 0];
  const add = (from: number, length: number): void => {
    for (let at = from; at + 8 <= from + length; at += 8) {
      const words = bigEndian
        ? [log.readUInt32BE(at), log.readUInt32BE(at + 4)]
        : [log.readUInt32LE(at), log.readUInt32LE(at + 4)];
      const first = (sums[0] + words[0]! + sums[1]) >>> 0;
      sums = [first, (sums[1] + words[1]! + first) >>> 0];
    }
  };
  const put = (at: number): void => {
    log.writeUInt32BE(sums[0], at);
    log.writeUInt32BE(sums[1], at + 4);
  };
  add(0, 24);
  put(24);
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8);
  for (let at = HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    add(at, 8);
    add(at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES);
    put(at + 16);
  }
  return log;
}
