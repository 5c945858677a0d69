/**
 * What has grown between two heap snapshots of V8, by constructor: bytes and objects that one has more than the other. Reads the
 * format as `v8.writeHeapSnapshot` writes it; knows nothing of what is in the heap.
 */
import { z } from 'zod';

const snapshotSchema = z.object({
  snapshot: z.object({
    meta: z.object({ node_fields: z.array(z.string()), node_types: z.array(z.unknown()) }),
  }),
  nodes: z.array(z.number()),
  strings: z.array(z.string()),
});

export interface Growth {
  /** The constructor of objects, `(string)`, `(array)` and so on of what has none. */
  readonly kind: string;
  readonly bytes: number;
  readonly count: number;
}

type Sums = Map<string, { bytes: number; count: number }>;

/** What `later` has more than `earlier`, the most bytes first; both the text of a snapshot. Throws on what is none. */
export function heapGrowth(earlier: string, later: string): readonly Growth[] {
  const before = sumsOf(earlier);
  const growths = [...sumsOf(later)].map(([kind, { bytes, count }]) => {
    const then = before.get(kind);
    return { kind, bytes: bytes - (then?.bytes ?? 0), count: count - (then?.count ?? 0) };
  });
  return growths.filter(({ bytes }) => bytes > 0).sort((one, other) => other.bytes - one.bytes);
}

function sumsOf(text: string): Sums {
  const { snapshot, nodes, strings } = snapshotSchema.parse(JSON.parse(text));
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const typeNames = z.array(z.string()).parse(types[fields.indexOf('type')]);
  const at = {
    type: fields.indexOf('type'),
    name: fields.indexOf('name'),
    size: fields.indexOf('self_size'),
  };
  const sums: Sums = new Map();
  for (let node = 0; node < nodes.length; node += fields.length) {
    const type = typeNames[nodes[node + at.type] ?? -1] ?? '';
    const kind =
      type === 'object' || type === 'native' ? (strings[nodes[node + at.name] ?? -1] ?? '') : `(${type})`;
    const sum = sums.get(kind) ?? { bytes: 0, count: 0 };
    sum.bytes += nodes[node + at.size] ?? 0;
    sum.count += 1;
    sums.set(kind, sum);
  }
  return sums;
}
