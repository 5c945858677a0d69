/** What the load generator is told and what it answers. Values only. */
import { z } from 'zod';

export const loadSettingsSchema = z.strictObject({
  interface: z.string(),
  /** Whether an ONT is content with its OFFER, or goes on to the ACK. */
  exchange: z.enum(['offer', 'lease']),
  /** ONTs `first` to `first + count - 1` ask once each. */
  first: z.int(),
  count: z.int(),
  /** Begin this many exchanges a second whatever comes back; or keep this many under way. */
  pace: z.union([z.strictObject({ perSecond: z.int() }), z.strictObject({ outstanding: z.int() })]),
  /** Process whose CPU time is measured meanwhile. */
  bngPid: z.int(),
});
export type LoadSettings = z.infer<typeof loadSettingsSchema>;

const latencySchema = z.object({ p50Us: z.number(), p99Us: z.number(), mostUs: z.number() });

export const loadResultSchema = z.object({
  finished: z.int(),
  /** Exchanges without an answer within a second. */
  lost: z.int(),
  /** From the first frame sent to the last answer received. */
  elapsedMs: z.number(),
  /** DISCOVER sent to OFFER received. */
  offer: latencySchema,
  /** DISCOVER sent to ACK received; null when ONTs stop at the OFFER. */
  lease: latencySchema.nullable(),
  /** How long CPU time was counted: until nothing was under way. */
  wholeMs: z.number(),
  generatorCpuMs: z.number(),
  bngCpuMs: z.number(),
});
export type LoadResult = z.infer<typeof loadResultSchema>;
