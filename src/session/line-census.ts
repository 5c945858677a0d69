/**
 * Who is where: the sessions that are on a line, and the leases that a MAC has on whatever lines. Kept only where a limit or a
 * rule asks for it. Decides nothing.
 */
import type { Attachment } from '../model/access-line.js';
import type { Mac } from '../model/mac.js';
import { holding, isServed } from './machine/build.js';
import type { SessionRecord } from './record.js';

export type LinePlace = Omit<Attachment, 'mac'>;

/** A map key for the line that frames arrive on, whoever is behind it: 24 bits of tags below the interface's index. */
export function lineNumber({ ifindex, sVlan, cVlan }: LinePlace): number {
  return (ifindex * 4096 + sVlan) * 4096 + cVlan;
}

interface Place {
  readonly line: number | null;
  readonly mac: Mac | null;
}

const NOWHERE: Place = { line: null, mac: null };
const NOBODY: ReadonlySet<SessionRecord> = new Set();

export class LineCensus {
  readonly #places = new Map<SessionRecord, Place>();
  readonly #byLine = new Map<number, Set<SessionRecord>>();
  readonly #byMac = new Map<Mac, Set<SessionRecord>>();

  /** To be called whenever the line of a session, or its lease, may have become another. */
  moved(record: SessionRecord): void {
    const { state } = record.session;
    const lease = isServed(state) ? holding(state) : null;
    this.#put(record, {
      line: record.line === null ? null : lineNumber(record.line),
      mac: lease?.attachment.mac ?? null,
    });
  }

  left(record: SessionRecord): void {
    this.#put(record, NOWHERE);
    this.#places.delete(record);
  }

  at(place: LinePlace): ReadonlySet<SessionRecord> {
    return this.#byLine.get(lineNumber(place)) ?? NOBODY;
  }

  /** Sessions of which this MAC has the lease. */
  withMac(mac: Mac): ReadonlySet<SessionRecord> {
    return this.#byMac.get(mac) ?? NOBODY;
  }

  #put(record: SessionRecord, place: Place): void {
    const before = this.#places.get(record) ?? NOWHERE;
    if (before.line === place.line && before.mac === place.mac) return;
    this.#places.set(record, place);
    exchange(this.#byLine, record, before.line, place.line);
    exchange(this.#byMac, record, before.mac, place.mac);
  }
}

function exchange<K>(
  index: Map<K, Set<SessionRecord>>,
  record: SessionRecord,
  old: K | null,
  next: K | null,
): void {
  if (old === next) return;
  const left = old === null ? undefined : index.get(old);
  left?.delete(record);
  if (old !== null && left?.size === 0) index.delete(old);
  if (next === null) return;
  const joined = index.get(next);
  if (joined === undefined) index.set(next, new Set([record]));
  else joined.add(record);
}
