/**
 * Looks for damage in a write-ahead log before SQLite opens it: SQLite takes a log up to the first frame whose checksum is
 * wrong and silently leaves out every commit behind it. Format: https://www.sqlite.org/fileformat2.html §4.
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const MAGIC_BIG_ENDIAN = 0x377f0683;
/** §1.3.2: a power of two. */
const PAGE_SIZES: readonly number[] = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

/** What is wrong with the log in words, or null when every commit in it can be read. An empty log is whole. */
export function walDamage(log: Buffer): string | null {
  if (log.length < HEADER_BYTES + FRAME_HEADER_BYTES) return null;
  const magic = log.readUInt32BE(0);
  const sums = new RunningSum(magic === MAGIC_BIG_ENDIAN);
  sums.add(log, 0, 24);
  const pageBytes = log.readUInt32BE(8);
  if ((magic !== MAGIC_LITTLE_ENDIAN && magic !== MAGIC_BIG_ENDIAN) || !sums.equals(log, 24)) {
    return 'header of the write-ahead log';
  }
  // SQLite would leave out the whole log.
  if (!PAGE_SIZES.includes(pageBytes)) return `write-ahead log with pages of ${pageBytes} bytes`;
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const salts = log.subarray(16, 24);
  let broken: number | null = null;
  for (let at = HEADER_BYTES, frame = 1; at + frameBytes <= log.length; at += frameBytes, frame += 1) {
    const ours = log.subarray(at + 8, at + 16).equals(salts);
    if (broken === null) {
      sums.add(log, at, 8);
      sums.add(log, at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES);
      // SQLite takes no frame of a page 0.
      if (!ours || log.readUInt32BE(at) === 0 || !sums.equals(log, at + 16)) broken = frame;
    }
    // A frame that names the size of the database ends a commit. Frames of an earlier round have other salts.
    if (broken !== null && ours && log.readUInt32BE(at + 4) !== 0) {
      return `write-ahead log from frame ${broken} on: commits behind it are lost`;
    }
  }
  return null;
}

/** The two running sums of the format, over words in the byte order that the log was written with. */
class RunningSum {
  #first = 0;
  #second = 0;
  readonly #bigEndian: boolean;

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian;
  }

  add(bytes: Buffer, from: number, length: number): void {
    for (let at = from; at < from + length; at += 8) {
      this.#first = (this.#first + this.#word(bytes, at) + this.#second) >>> 0;
      this.#second = (this.#second + this.#word(bytes, at + 4) + this.#first) >>> 0;
    }
  }

  equals(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#first && bytes.readUInt32BE(at + 4) === this.#second;
  }

  #word(bytes: Buffer, at: number): number {
    return this.#bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
  }
}
