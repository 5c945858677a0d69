/** Lines out of a byte stream, with a bound on their length. Knows nothing of what is in them. */
import { StringDecoder } from 'node:string_decoder';

/** For whoever hears anybody. */
const LONGEST_LINE = 64 * 1024;

export interface LineSink {
  readonly onLine: (line: string) => void;
  /** A line longer than `longest`; it is skipped to its end. */
  readonly onTooLong: () => void;
  /** In characters; 64 Ki without it. */
  readonly longest?: number;
}

/** Cuts chunks into lines; an unfinished last line waits for its rest. Each byte is looked at once, however it is cut. */
export class JsonLines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #sink: LineSink;
  readonly #longest: number;
  #parts: string[] = [];
  #length = 0;
  #skipping = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
    this.#longest = sink.longest ?? LONGEST_LINE;
  }

  push(chunk: Uint8Array): void {
    const text = this.#decoder.write(Buffer.from(chunk));
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#keep(text.slice(start, end));
      this.#end();
      start = end + 1;
    }
    this.#keep(text.slice(start));
  }

  #keep(part: string): void {
    if (this.#skipping || part === '') return;
    this.#length += part.length;
    this.#parts.push(part);
    if (this.#length <= this.#longest) return;
    this.#skipping = true;
    this.#parts = [];
    this.#sink.onTooLong();
  }

  #end(): void {
    const line = this.#skipping ? '' : this.#parts.join('');
    this.#parts = [];
    this.#length = 0;
    this.#skipping = false;
    if (line.trim() !== '') this.#sink.onLine(line);
  }
}

export function toLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
