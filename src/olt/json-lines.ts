/** Lines out of a byte stream, with a bound on their length. Knows nothing of what is in them. */
import { StringDecoder } from 'node:string_decoder';

const LONGEST_LINE = 64 * 1024;

export interface LineSink {
  readonly onLine: (line: string) => void;
  /** A line longer than 64 KiB; it is skipped to its end. */
  readonly onTooLong: () => void;
}

/** Cuts chunks into lines; an unfinished last line waits for its rest. */
export class JsonLines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #sink: LineSink;
  #rest = '';
  #skipping = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  push(chunk: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.write(Buffer.from(chunk))).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) {
      if (this.#skipping) this.#skipping = false;
      else if (line.length > LONGEST_LINE) this.#sink.onTooLong();
      else if (line.trim() !== '') this.#sink.onLine(line);
    }
    if (this.#rest.length > LONGEST_LINE || this.#skipping) {
      if (!this.#skipping) this.#sink.onTooLong();
      this.#skipping = true;
      this.#rest = '';
    }
  }
}

export function toLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
