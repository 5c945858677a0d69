/** Loads the dataplane with its largest maps and adds up what the kernel says that each of them takes. */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { BngLimit } from '../../src/dataplane/abi.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import { tellParent } from './bench-context.js';
import { loadLargest } from './packet-object.js';

const LOOPBACK = 1;
const PER_CPU_ARRAY = 6;

const { objectPath } = z.strictObject({ objectPath: z.string() }).parse(JSON.parse(process.argv[2] ?? ''));

interface MapMemory {
  readonly id: number;
  readonly type: number;
  readonly bytes: number;
}

/** Maps that this process has open (proc(5), fdinfo of BPF maps), each once. */
function openMaps(): readonly MapMemory[] {
  const found = new Map<number, MapMemory>();
  for (const descriptor of readdirSync('/proc/self/fdinfo')) {
    const text = fdinfo(descriptor);
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    const id = field('map_id');
    if (id !== 0) found.set(id, { id, type: field('map_type'), bytes: field('memlock') });
  }
  return [...found.values()];
}

/** Empty for a descriptor that is gone again: the one that the folder was read with. */
function fdinfo(descriptor: string): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
  } catch {
    return '';
  }
}

const binding = loadNative();
const { object } = loadLargest(binding, objectPath, { accessIfindex: LOOPBACK, coreIfindex: LOOPBACK });
const maps = openMaps();
// An array by itself, in which each CPU has its part.
const traffic = object.map('bng_traffic');
const trafficBytes = (traffic.valueSize * traffic.maxEntries) / BngLimit.maxSubscribers;
object.close();
const sum = (wanted: (map: MapMemory) => boolean): number =>
  maps.filter(wanted).reduce((total, { bytes }) => total + bytes, 0) / BngLimit.maxSubscribers;
tellParent({
  result: {
    shared: sum(({ type }) => type !== PER_CPU_ARRAY) - trafficBytes,
    perCpu: sum(({ type }) => type === PER_CPU_ARRAY) + trafficBytes,
    possibleCpus: binding.possibleCpus(),
  },
});
