/**
 * Single frames of a line followed through the programs (bpf/lib/trace.h). Nothing runs and nothing is open while nobody
 * follows. Decides nothing and knows no session.
 */
import type { Attachment } from '../model/access-line.js';
import { attachmentKey } from '../model/access-line.js';
import type { Clock, TimerHandle } from '../model/clock.js';
import { ipv4FromNumber } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import { macFromBytes } from '../model/mac.js';
import {
  BNG_TRACE_RECORD_SIZE,
  BNG_TRACE_SWITCH_SIZE,
  BNG_TRACED_SIZE,
  type BngTraceRecord,
  BngDirection,
  BngDropReasonLabels,
  BngVerdict,
  BngVerdictLabels,
  readBngTraceRecord,
  writeBngTraceSwitch,
} from './abi.js';
import { attempt } from './attempt.js';
import type { NativeBinding, NativeMap, NativeObject, NativeRingBuffer } from './native-binding.js';
import type { FrameTraceOutcome, FrameTracing, TracedFrame } from './port.js';
import { ringRecords } from './ring-records.js';
import { encodeLine, slotKey } from './subscriber-maps.js';

type Listener = (frame: TracedFrame) => void;

/** After the last word of ours the programs stop by themselves: a process that dies says none. */
const LASTS_MS = 5_000;
const RENEW_MS = 1_000;
const NS_PER_MS = 1_000_000n;
const SLAB_BYTES = 1 << 16;
const EVERY_STATION = 0 as Mac;

export interface FrameTraceOptions {
  readonly binding: NativeBinding;
  /** Loaded. */
  readonly object: NativeObject;
  readonly clock: Clock;
}

export class FrameTrace implements FrameTracing {
  readonly #options: FrameTraceOptions;
  /** By traced line. */
  readonly #listeners = new Map<string, Set<Listener>>();
  #ring: NativeRingBuffer | null = null;
  #renewal: TimerHandle | null = null;
  #isClosed = false;

  constructor(options: FrameTraceOptions) {
    this.#options = options;
  }

  trace(attachment: Attachment, listener: Listener): FrameTraceOutcome {
    if (this.#isClosed) return { ok: false, reason: 'dataplane closed' };
    const line = tracedLine(attachment);
    const key = attachmentKey(line);
    const known = this.#listeners.get(key);
    // Its own function: the same listener may be given twice.
    const own: Listener = (frame) => listener(frame);
    if (known === undefined) {
      const begun = attempt(() => this.#begin(line));
      if (!begun.ok) {
        if (this.#listeners.size === 0) this.#end();
        return begun;
      }
      this.#listeners.set(key, new Set([own]));
    } else known.add(own);
    return { ok: true, stop: () => this.#stop(line, own) };
  }

  /** Tells no one any more. Once is enough. */
  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    this.#end();
  }

  #stop(line: Attachment, listener: Listener): void {
    const key = attachmentKey(line);
    const listeners = this.#listeners.get(key);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    this.#listeners.delete(key);
    this.#map('bng_traced').delete(encodeLine(line));
    if (this.#listeners.size === 0) this.#end();
  }

  #begin(line: Attachment): void {
    if (this.#ring === null) this.#open();
    this.#map('bng_traced').update(encodeLine(line), new Uint8Array(BNG_TRACED_SIZE));
    this.#renew();
  }

  /** What a process that died was following is forgotten, and what the ring still holds of it told to nobody. */
  #open(): void {
    const traced = this.#map('bng_traced');
    const { keys, count } = traced.readAll();
    for (let at = 0; at < count; at += 1) {
      traced.delete(keys.subarray(at * traced.keySize, (at + 1) * traced.keySize));
    }
    const beganNs = process.hrtime.bigint();
    this.#ring = this.#options.binding.openRingBuffer(this.#map('bng_trace_records'), {
      slabBytes: SLAB_BYTES,
      onBatch: (slab, used) => {
        for (const record of ringRecords(slab, used)) this.#tell(record, beganNs);
      },
    });
  }

  #tell(bytes: Uint8Array, beganNs: bigint): void {
    if (bytes.length < BNG_TRACE_RECORD_SIZE) return;
    const record = readBngTraceRecord(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
    if (record.timeNs < beganNs) return;
    const { ifindex, sVlan, cVlan, mac } = record.traced;
    const line = { ifindex, sVlan, cVlan, mac: macFromBytes(mac) };
    const frame = frameOf(record);
    for (const listener of this.#listeners.get(attachmentKey(line)) ?? []) listener(frame);
  }

  /** Also when a timer comes late: whoever follows is told on from then on. */
  #renew(): void {
    this.#renewal?.cancel();
    this.#write(process.hrtime.bigint() + BigInt(LASTS_MS) * NS_PER_MS);
    this.#renewal = this.#options.clock.after(RENEW_MS, () => this.#renew());
  }

  #end(): void {
    this.#renewal?.cancel();
    this.#renewal = null;
    if (this.#ring === null) return;
    this.#write(0n);
    this.#ring.close();
    this.#ring = null;
  }

  /** The kernel's CLOCK_MONOTONIC is what Node.js calls hrtime. */
  #write(untilNs: bigint): void {
    const value = new Uint8Array(BNG_TRACE_SWITCH_SIZE);
    writeBngTraceSwitch(new DataView(value.buffer), 0, { untilNs });
    this.#map('bng_trace').update(slotKey(0), value);
  }

  #map(name: string): NativeMap {
    return this.#options.object.map(name);
  }
}

/** A line with two tags is one subscriber's (TR-101, 1:1); on any other there are others' stations too. */
function tracedLine({ ifindex, sVlan, cVlan, mac }: Attachment): Attachment {
  return { ifindex, sVlan, cVlan, mac: cVlan === 0 ? mac : EVERY_STATION };
}

function frameOf(record: BngTraceRecord): TracedFrame {
  const { verdict, dropReason, ipLength, protocol } = record;
  return {
    direction: record.direction === BngDirection.upstream ? 'upstream' : 'downstream',
    verdict: BngVerdictLabels.get(verdict) ?? String(verdict),
    dropReason:
      verdict === BngVerdict.drop ? (BngDropReasonLabels.get(dropReason) ?? String(dropReason)) : null,
    frameBytes: record.frameLength,
    etherType: record.ethertype,
    ip: ipLength === 0 ? null : { bytes: ipLength, protocol },
    source: ipv4FromNumber(record.source),
    destination: ipv4FromNumber(record.destination),
    sourcePort: record.sourcePort,
    destinationPort: record.destinationPort,
    untold: record.untold,
  };
}
