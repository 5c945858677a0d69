/**
 * Where log lines go: on standard output, those of one turn of the event loop with one system call. A process that ends in any
 * way but by SIGKILL writes what it has said. Knows no line.
 */
import { pino } from 'pino';
import type { DestinationStream } from 'pino';

/** Resolves when the lines said so far are written. */
export function linesWritten(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class LogLines implements DestinationStream {
  readonly #to: DestinationStream;
  #lines = '';

  /** `to` takes what it is given at once. */
  constructor(to: DestinationStream = pino.destination({ fd: 1, sync: true })) {
    this.#to = to;
    process.on('exit', () => this.#flush());
  }

  write(line: string): void {
    if (this.#lines === '') setImmediate(() => this.#flush());
    this.#lines += line;
  }

  #flush(): void {
    const lines = this.#lines;
    if (lines === '') return;
    this.#lines = '';
    this.#to.write(lines);
  }
}
