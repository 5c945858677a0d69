/**
 * The last RADIUS exchange of each kind of each subscriber, for operators: attributes as they were on the wire, secrets
 * left out before they are kept. Bounded in bytes: what was kept longest ago goes first. In memory only; decides nothing.
 *
 * Exchanges lie one behind the other in blocks and the index holds numbers, so that 100,000 of them are a few dozen objects
 * to the garbage collector, and accounting at full speed makes no garbage here.
 */
import type { RadiusExchangeResult } from './radius-exchange.js';
import type { Clock } from '../model/clock.js';
import { RadiusAttributes } from '../wire/radius-attributes.js';
import { RadiusCode } from '../wire/radius-packet.js';
import { attributeTexts, isWithheld, type AttributeText } from '../wire/radius-text.js';

export type ExchangeKind = 'authentication' | 'accounting' | 'order';

/** One exchange that is over. */
export interface NotedExchange {
  /** As `nowMs` said before it. */
  readonly beganMs: number;
  /** Who was asked; of an order who ordered. Null when nobody answered. */
  readonly peer: string | null;
  readonly request: { readonly code: number; readonly attributes: RadiusAttributes };
  readonly response: { readonly code: number; readonly attributes: RadiusAttributes } | null;
}

type Kept = Omit<NotedExchange, 'beganMs'> & Pick<ExchangeText, 'wallMs' | 'tookMs'>;

export interface ExchangeText {
  readonly kind: ExchangeKind;
  readonly wallMs: number;
  readonly tookMs: number;
  readonly peer: string | null;
  readonly request: PacketText;
  /** Null when no answer came. */
  readonly response: PacketText | null;
}

export interface PacketText {
  readonly code: string;
  readonly attributes: readonly AttributeText[];
}

/** Who answered what, of an exchange with a server. */
export function answerOf(result: RadiusExchangeResult): Pick<NotedExchange, 'peer' | 'response'> {
  return result.kind === 'response'
    ? { peer: result.server, response: result.packet }
    : { peer: null, response: null };
}

interface Block {
  readonly bytes: Buffer;
  used: number;
  /** Whose exchanges are in it. */
  readonly keys: string[];
}

const BLOCK_BYTES = 1 << 20;
/** wall f64, took f32, peer u16, codes 2 x u8, lengths 2 x u16 */
const HEAD = 20;
const NO_ANSWER = 0;
const NO_PEER = 0;
const NOTHING = new Uint8Array();

/** Bytes kept of each kind: of authentication and accounting enough for 100,000 sessions. */
const KEPT_BYTES: Readonly<Record<ExchangeKind, number>> = {
  authentication: 48 * BLOCK_BYTES,
  accounting: 48 * BLOCK_BYTES,
  order: 4 * BLOCK_BYTES,
};

export class RadiusJournal {
  readonly #logs: Readonly<Record<ExchangeKind, ExchangeLog>>;

  readonly #clock: Clock;

  constructor(options: {
    readonly clock: Clock;
    readonly keptBytes?: Readonly<Record<ExchangeKind, number>>;
  }) {
    this.#clock = options.clock;
    const { keptBytes = KEPT_BYTES } = options;
    this.#logs = {
      authentication: new ExchangeLog(keptBytes.authentication),
      accounting: new ExchangeLog(keptBytes.accounting),
      order: new ExchangeLog(keptBytes.order),
    };
  }

  /** Keeps it instead of the last one of that kind and key: the subscriber's id, of an order the session's. */
  note(kind: ExchangeKind, key: string, { beganMs, ...exchange }: NotedExchange): void {
    const tookMs = this.nowMs() - beganMs;
    this.#logs[kind].put(key, { ...exchange, wallMs: this.#clock.wallMs(), tookMs });
  }

  /** For `beganMs`. */
  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** What is still known of them, in the order of authentication, accounting, order. */
  last(subscriberId: string, sessionId: string): readonly ExchangeText[] {
    return (['authentication', 'accounting', 'order'] as const).flatMap((kind) => {
      const found = this.#logs[kind].get(kind === 'order' ? sessionId : subscriberId);
      return found === null ? [] : [textOf(kind, found)];
    });
  }
}

class ExchangeLog {
  readonly #mostBlocks: number;
  /** By number; blocks have numbers that are never used again. */
  readonly #blocks = new Map<number, Block>();
  /** Block number and offset of the last exchange of a key, in one number. */
  readonly #index = new Map<string, number>();
  #current = -1;
  readonly #peers: string[] = [''];

  constructor(keptBytes: number) {
    this.#mostBlocks = Math.max(1, Math.floor(keptBytes / BLOCK_BYTES));
  }

  put(key: string, { wallMs, tookMs, peer, request, response }: Kept): void {
    const asked = keptOf(request.attributes);
    const answered = response === null ? NOTHING : keptOf(response.attributes);
    const length = HEAD + asked.length + answered.length;
    const block = this.#roomFor(length);
    const { bytes, used } = block;
    bytes.writeDoubleLE(wallMs, used);
    bytes.writeFloatLE(tookMs, used + 8);
    bytes.writeUInt16LE(this.#peerNumber(peer), used + 12);
    bytes[used + 14] = request.code;
    bytes[used + 15] = response?.code ?? NO_ANSWER;
    bytes.writeUInt16LE(asked.length, used + 16);
    bytes.writeUInt16LE(answered.length, used + 18);
    bytes.set(asked, used + HEAD);
    bytes.set(answered, used + HEAD + asked.length);
    block.used += length;
    block.keys.push(key);
    this.#index.set(key, this.#current * BLOCK_BYTES + used);
  }

  get(key: string): Kept | null {
    const place = this.#index.get(key);
    const bytes = place === undefined ? undefined : this.#blocks.get(Math.floor(place / BLOCK_BYTES))?.bytes;
    if (place === undefined || bytes === undefined) return null;
    const at = place % BLOCK_BYTES;
    const asked = bytes.readUInt16LE(at + 16);
    const answered = bytes.readUInt16LE(at + 18);
    const part = (start: number, length: number): RadiusAttributes =>
      RadiusAttributes.decode(bytes.subarray(start, start + length), 0);
    const code = bytes[at + 15] ?? NO_ANSWER;
    return {
      wallMs: bytes.readDoubleLE(at),
      tookMs: bytes.readFloatLE(at + 8),
      peer: this.#peers[bytes.readUInt16LE(at + 12)] || null,
      request: { code: bytes[at + 14] ?? 0, attributes: part(at + HEAD, asked) },
      response: code === NO_ANSWER ? null : { code, attributes: part(at + HEAD + asked, answered) },
    };
  }

  #roomFor(length: number): Block {
    const current = this.#blocks.get(this.#current);
    if (current !== undefined && current.used + length <= BLOCK_BYTES) return current;
    const bytes =
      this.#blocks.size < this.#mostBlocks ? Buffer.allocUnsafe(BLOCK_BYTES) : this.#forgetOldest();
    const block = { bytes, used: 0, keys: [] };
    this.#current += 1;
    this.#blocks.set(this.#current, block);
    return block;
  }

  #forgetOldest(): Buffer {
    const [[number, { bytes, keys }] = [0, { bytes: Buffer.allocUnsafe(BLOCK_BYTES), keys: [] }]] =
      this.#blocks;
    for (const key of keys) {
      if (Math.floor((this.#index.get(key) ?? -1) / BLOCK_BYTES) === number) this.#index.delete(key);
    }
    this.#blocks.delete(number);
    return bytes;
  }

  /** Servers and clients are few: those configured since the start. */
  #peerNumber(peer: string | null): number {
    if (peer === null) return NO_PEER;
    const known = this.#peers.indexOf(peer);
    return known >= 0 ? known : this.#peers.push(peer) - 1;
  }
}

/** As on the wire, without what is withheld. */
function keptOf({ packed }: RadiusAttributes): Uint8Array {
  const kept: Uint8Array[] = [];
  let from = 0;
  for (let at = 0, next = 0; at < packed.length; at = next) {
    next = at + (packed[at + 1] ?? 0);
    if (!isWithheld(packed[at] ?? 0)) continue;
    kept.push(packed.subarray(from, at));
    from = next;
  }
  return kept.length === 0 ? packed : Buffer.concat([...kept, packed.subarray(from)]);
}

function textOf(kind: ExchangeKind, { request, response, ...facts }: Kept): ExchangeText {
  const packet = ({ code, attributes }: Kept['request']): PacketText => ({
    code: CODE_NAMES.get(code) ?? `code ${code}`,
    attributes: attributeTexts(attributes),
  });
  return { kind, ...facts, request: packet(request), response: response === null ? null : packet(response) };
}

const CODE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(RadiusCode).map(([name, code]) => [code, name]),
);
