/**
 * The management protocol of the simulated access node: one JSON object a line over a stream. Requests carry an id and
 * get one answer; events go to every peer. Shapes and checks only; no sockets and no rules.
 */
import { z } from 'zod';

const ontSerial = z.string().min(1).max(64);
/** VLAN ids that a line may have: 0 and 4095 are reserved (IEEE 802.1Q table 9-2). */
const vlanId = z.int().min(1).max(4094);
const bitsPerSecond = z.int().min(0);

/** How a line appears on the trunk: S- and C-tag, one 0x8100 tag, or none. */
export const taggingSchema = z.enum(['qinq', 'single', 'untagged']);
export type Tagging = z.infer<typeof taggingSchema>;

const plugParams = z.strictObject({
  ontSerial,
  /** Shelf, slot and port as in `1/1/1`. */
  port: z.string().regex(/^[0-9]+(\/[0-9]+){2}$/),
  interface: z.string().min(1).max(15),
  tagging: taggingSchema,
  cVlan: vlanId.optional(),
});
export type PlugParams = z.infer<typeof plugParams>;

const reconfigureParams = z.strictObject({
  ontSerial,
  sVlan: vlanId,
  cVlan: vlanId.optional(),
  qosDownloadBps: bitsPerSecond,
  qosUploadBps: bitsPerSecond,
  /** Bounce the UNI link even when nothing changes. */
  bounce: z.boolean().optional(),
});
export type ReconfigureParams = z.infer<typeof reconfigureParams>;

const none = z.strictObject({}).optional();
const id = z.int().min(0);

export const requestSchema = z.discriminatedUnion('method', [
  z.strictObject({ id, method: z.literal('plug'), params: plugParams }),
  z.strictObject({ id, method: z.literal('unplug'), params: z.strictObject({ ontSerial }) }),
  z.strictObject({ id, method: z.literal('reconfigure'), params: reconfigureParams }),
  z.strictObject({ id, method: z.literal('onts'), params: none }),
  z.strictObject({ id, method: z.literal('stats'), params: none }),
]);
export type OltRequest = z.infer<typeof requestSchema>;
export type OltMethod = OltRequest['method'];
export type OltParams<M extends OltMethod> = Extract<OltRequest, { method: M }>['params'];

/** `sVlan` and `cVlan` are what the line was provisioned with, 0 before that; `tagging` says which of them the trunk sees. */
export const ontSchema = z.object({
  ontSerial,
  port: z.string(),
  aggregatorId: z.string(),
  interface: z.string(),
  tagging: taggingSchema,
  sVlan: z.int(),
  cVlan: z.int(),
  state: z.enum(['detected', 'provisioned', 'disconnected']),
  qosDownloadBps: bitsPerSecond,
  qosUploadBps: bitsPerSecond,
  /** Text such as `agg-01|1/1/1`; in option 82 the same as bytes. */
  circuitId: z.string(),
  /** As option 82 will have it; absent where the access node adds none. */
  remoteId: z.string().optional(),
  /** Of the customer's equipment, where the access node knows it. */
  mac: z
    .string()
    .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
    .optional(),
});
export type Ont = Readonly<z.infer<typeof ontSchema>>;

export const ontListSchema = z.array(ontSchema);

export const statsSchema = z.object({
  peers: z.int(),
  badLines: z.int(),
  counts: z.record(z.string(), z.number()),
});
export type OltStats = z.infer<typeof statsSchema>;

export const eventSchema = ontSchema.extend({
  type: z.enum(['NewONTDetected', 'ONTProvisioned', 'ONTReconfigured', 'ONTDisconnected']),
});
export type OltEvent = Readonly<z.infer<typeof eventSchema>>;

/** What a peer hears: an answer, a refusal (`id` null when the request could not be read), or an event. */
export const messageSchema = z.union([
  z.object({ event: eventSchema }),
  z.object({ id: id.nullable(), error: z.object({ message: z.string() }) }),
  z.object({ id, result: z.unknown() }),
]);
export type OltMessage = z.infer<typeof messageSchema>;

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** Reads one line against a schema; a line that is no JSON or of another shape is a value with the reason. */
export function parseLine<T>(schema: z.ZodType<T>, line: string): Parsed<T> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { ok: false, reason: 'expected one JSON object a line' };
  }
  const result = schema.safeParse(json);
  if (result.success) return { ok: true, value: result.data };
  const reason = result.error.issues.map((i) => `${i.path.join('.') || 'line'}: ${i.message}`).join('; ');
  return { ok: false, reason };
}

/** The id of a request that is otherwise unreadable, so that its sender can be told; null when there is none. */
export function requestIdOf(line: string): number | null {
  const result = parseLine(z.object({ id }), line);
  return result.ok ? result.value.id : null;
}
