/** What the storm's generator is told and what it answers. Values only. */
import { z } from 'zod';

export const stormSettingsSchema = z.strictObject({
  interface: z.string(),
  /** So many ONTs, all of which begin within `withinMs`. */
  count: z.int(),
  withinMs: z.int(),
  /** Process whose CPU time is measured meanwhile. */
  bngPid: z.int(),
  /** Given up by then. */
  deadlineMs: z.int(),
});
export type StormSettings = z.infer<typeof stormSettingsSchema>;

export const stormResultSchema = z.object({
  /** Who has a lease at the end. */
  leased: z.int(),
  /** From the first frame sent to the last ACK. */
  elapsedMs: z.number(),
  /** First DISCOVER of a station to its ACK. */
  p50Ms: z.number(),
  p99Ms: z.number(),
  /** Frames sent for each lease; two are the least. */
  framesEach: z.number(),
  bngCpuMs: z.number(),
  generatorCpuMs: z.number(),
});
export type StormResult = z.infer<typeof stormResultSchema>;
