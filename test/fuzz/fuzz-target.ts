/** What the fuzzer is given of a codec or an inlet: inputs to begin with, and what must hold for any input. */
export interface FuzzTarget {
  /** Inputs that get far; those of seeds/<target>.hex come on top. */
  readonly seeds: () => readonly Uint8Array[];
  /** Tokens of the format. */
  readonly words?: readonly string[];
  readonly maxBytes: number;
  /** Inputs that `make test` grows: about half a second of them. */
  readonly boundedRuns: number;
  /** Throws when something that must hold does not. It may keep what is between two inputs, as a server does. */
  readonly run: (input: Uint8Array) => void | Promise<void>;
}

/** Text as bytes. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}
