/** Makes new inputs of old ones: the usual changes of bytes, words of the format, and what the code compared its input with. */
import type { Random } from '../../test/support/mutate.js';
import type { Compared } from './coverage.js';

export interface MutationSources {
  readonly random: Random;
  readonly maxBytes: number;
  /** Tokens of the format. */
  readonly words: readonly Uint8Array[];
  readonly compared: readonly (readonly [Compared, Compared])[];
  /** Any other input, to take a part from. */
  readonly other: () => Uint8Array;
}

const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 129, 253, 254, 255] as const;
/** Changes that one mutation makes at most, as a power of two. */
const MOST_ROUNDS_LOG = 4;

/** A changed copy of at most `maxBytes`; the input stays. */
export function mutated(input: Uint8Array, sources: MutationSources): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(input);
  for (let rounds = 1 << sources.random(MOST_ROUNDS_LOG); rounds > 0; rounds--)
    bytes = changed(bytes, sources);
  return bytes.subarray(0, sources.maxBytes);
}

function changed(bytes: Uint8Array, sources: MutationSources): Uint8Array {
  const { random, words, compared, other } = sources;
  const at = random(bytes.length + 1);
  const length = Math.min(1 + random(1 << random(7)), bytes.length - at);
  switch (random(13)) {
    case 0:
      return set(bytes, at, (bytes[at] ?? 0) ^ (1 << random(8)));
    case 1:
      return set(bytes, at, INTERESTING[random(INTERESTING.length)] ?? 0);
    case 2:
      return set(bytes, at, random(256));
    case 3:
      return set(bytes, at, (bytes[at] ?? 0) + random(33) - 16);
    case 4:
      return spliced(bytes, at, length, NOTHING);
    case 5: // the end
      return bytes.slice(0, at);
    case 6: // a part again, elsewhere
      return spliced(bytes, random(bytes.length + 1), 0, bytes.slice(at, at + length));
    case 7: // a part over another
      return over(bytes, random(bytes.length + 1), bytes.slice(at, at + length));
    case 8:
      return spliced(bytes, at, 0, new Uint8Array(1 + random(1 << random(9))).fill(random(256)));
    case 9:
      return words.length === 0 ? bytes : withWord(bytes, at, words[random(words.length)] ?? NOTHING, random);
    case 10: // an end of another input
      return spliced(bytes, at, bytes.length - at, tailOf(other(), random));
    default:
      return compared.length === 0 ? bytes : withCompared(bytes, compared[random(compared.length)], random);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

function set(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at < bytes.length) bytes[at] = value;
  return bytes;
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - removed + added.length);
  result.set(bytes.subarray(0, at));
  result.set(added, at);
  result.set(bytes.subarray(at + removed), at + added.length);
  return result;
}

function over(bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  bytes.set(part.subarray(0, bytes.length - at), at);
  return bytes;
}

function withWord(bytes: Uint8Array, at: number, word: Uint8Array, random: Random): Uint8Array {
  return random(2) === 0 ? spliced(bytes, at, 0, word) : over(bytes, at, word);
}

function tailOf(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(random(bytes.length + 1));
}

/** Puts what the code looked for in the place of what it found: most checks of a format are passed so at once. */
function withCompared(
  bytes: Uint8Array,
  pair: readonly [Compared, Compared] = [0, 0],
  random: Random,
): Uint8Array {
  const [found, wanted] = random(2) === 0 ? pair : [pair[1], pair[0]];
  const forms = formsOf(found);
  const form = random(forms.length);
  const old = forms[form] ?? NOTHING;
  const fresh = formsOf(wanted)[form];
  if (fresh === undefined) return bytes;
  const places = placesOf(bytes, old);
  const place = places[random(Math.max(places.length, 1))];
  if (place === undefined) return withWord(bytes, random(bytes.length + 1), fresh, random);
  return spliced(bytes, place, old.length, fresh);
}

/** A value as it may stand in an input: as text, or a number of 1, 2, 4 or 8 bytes in either order. */
function formsOf(value: Compared): readonly Uint8Array[] {
  if (typeof value === 'string') return [Buffer.from(value)];
  const forms: Uint8Array[] = [Buffer.from(String(value))];
  const bits = BigInt.asUintN(64, BigInt(value));
  for (const size of [1, 2, 4, 8]) {
    const big = new Uint8Array(8);
    new DataView(big.buffer).setBigUint64(0, bits);
    forms.push(big.slice(8 - size), big.slice(8 - size).reverse());
  }
  return forms;
}

/** Where `part` stands; up to sixteen places. */
function placesOf(bytes: Uint8Array, part: Uint8Array): readonly number[] {
  const places: number[] = [];
  if (part.length === 0) return places;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = view.indexOf(part); at >= 0 && places.length < 16; at = view.indexOf(part, at + 1))
    places.push(at);
  return places;
}
