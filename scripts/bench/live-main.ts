/**
 * The load of live.bpf.c, in the namespace of the far ends of both links: sends in each direction in turn until enough
 * frames went out, waits until what is under way has come out, and gives what was sent and received.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeObject } from '../../src/dataplane/native-binding.js';
import { slotKey } from '../../src/dataplane/subscriber-maps.js';
import { tellParent } from './bench-context.js';
import { type Count, countsOf, type Direction, DIRECTIONS, encodeJob, liveJobSchema } from './live-job.js';

export const liveSettingsSchema = z.strictObject({
  objectPath: z.string(),
  /** One or both. */
  jobs: z.strictObject({ up: liveJobSchema.optional(), down: liveJobSchema.optional() }),
  /** In each direction. */
  frames: z.int(),
  /** Sent with one call, before the other direction has its turn. */
  framesAtOnce: z.int(),
});
type Settings = z.infer<typeof liveSettingsSchema>;

const SETTLE_MS = 20;

class LiveLoad {
  readonly #object: NativeObject;
  readonly #settings: Settings;
  readonly #ifindexOf = new Map<string, number>();

  constructor(settings: Settings) {
    this.#settings = settings;
    const binding = loadNative();
    this.#object = binding.openObject(settings.objectPath);
    this.#object.load();
    const jobs = this.#jobs();
    const names = new Set(jobs.flatMap(([, job]) => [job.from, job.to]));
    for (const name of names) {
      this.#ifindexOf.set(name, binding.interfaceIndex(name));
      // A veth's queues can be named by a run only where a native program is attached.
      this.#object.program('live_sink').attachXdp(this.#ifindex(name), 'native');
    }
    for (const [direction, job] of jobs) {
      const bytes = encodeJob(job, direction, this.#ifindex(job.to));
      this.#object.map('live_jobs').update(slotKey(DIRECTIONS.indexOf(direction)), bytes);
    }
  }

  /** Seconds that sending took; all that is done for a frame on this CPU is in them. */
  run(): number {
    const { frames, framesAtOnce } = this.#settings;
    const began = performance.now();
    for (let sent = 0; sent < frames; sent += framesAtOnce) {
      for (const [direction, job] of this.#jobs()) {
        this.#object.program(`live_${direction}`).testRun({
          data: new Uint8Array(job.most),
          repeat: Math.min(framesAtOnce, frames - sent),
          ingressIfindex: this.#ifindex(job.from),
          liveFrames: true,
        });
      }
    }
    return (performance.now() - began) / 1000;
  }

  async settled(): Promise<Record<'sent' | 'received', Partial<Record<Direction, Count[]>>>> {
    let before = -1;
    for (;;) {
      const now = this.#counts('live_received');
      const all = Object.values(now).flat();
      const packets = all.reduce((sum, count) => sum + count.packets, 0);
      if (packets === before) return { sent: this.#counts('live_sent'), received: now };
      before = packets;
      await sleep(SETTLE_MS);
    }
  }

  close(): void {
    this.#object.close();
  }

  #counts(map: 'live_sent' | 'live_received'): Partial<Record<Direction, Count[]>> {
    const sizes = this.#jobs().map(([, job]) => job.subscribers);
    const sums = this.#object.map(map).readSums(0, 2 * Math.max(...sizes));
    return Object.fromEntries(
      this.#jobs().map(([direction], index) => [direction, countsOf(sums, direction, sizes[index] ?? 0)]),
    );
  }

  #jobs() {
    return DIRECTIONS.flatMap((direction) => {
      const job = this.#settings.jobs[direction];
      return job === undefined ? [] : [[direction, job] as const];
    });
  }

  #ifindex(name: string): number {
    return this.#ifindexOf.get(name) ?? 0;
  }
}

const load = new LiveLoad(liveSettingsSchema.parse(JSON.parse(process.argv[2] ?? '')));
try {
  const seconds = load.run();
  tellParent({ result: { seconds, ...(await load.settled()) } });
} finally {
  load.close();
}
