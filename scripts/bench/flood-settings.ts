/** What flood-main is told. No behaviour. */
import { z } from 'zod';

export const floodSettingsSchema = z.strictObject({
  interface: z.string(),
  frames: z.enum(['flood', 'junk']),
  perSecond: z.int(),
  milliseconds: z.int(),
});
export type FloodSettings = z.infer<typeof floodSettingsSchema>;
