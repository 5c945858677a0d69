/** What the access node's process is told at its start. Values only. */
import { z } from 'zod';

export const oltSettingsSchema = z.strictObject({
  /** Path of the management socket. */
  socketPath: z.string(),
  /** Path of olt.bpf.o. */
  objectPath: z.string(),
  trunk: z.string(),
  aggregatorId: z.string(),
  gardenSVlan: z.int(),
  sTagTpid: z.int(),
  bounceMs: z.int(),
});
export type OltSettings = z.infer<typeof oltSettingsSchema>;
