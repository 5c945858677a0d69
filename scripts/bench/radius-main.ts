/** One part of the RADIUS benches, in a process of its own: what ran before must not have warmed or filled it. */
import { z } from 'zod';
import { tellParent } from './bench-context.js';
import { accountingRate, interimStall } from './radius-accounting-load.js';
import { accessRate, codecRate } from './radius-rates.js';

const settingsSchema = z.discriminatedUnion('part', [
  z.strictObject({ part: z.literal('codec'), seconds: z.number() }),
  z.strictObject({
    part: z.literal('access'),
    port: z.int(),
    inFlight: z.int(),
    seconds: z.number(),
  }),
  z.strictObject({
    part: z.literal('accounting'),
    port: z.int(),
    folder: z.string(),
    first: z.int(),
    between: z.int(),
    last: z.int(),
  }),
  z.strictObject({
    part: z.literal('stall'),
    port: z.int(),
    folder: z.string(),
    sessions: z.int(),
    seconds: z.number(),
    windows: z.int(),
  }),
]);

export type RadiusPart = z.infer<typeof settingsSchema>;

function run(settings: RadiusPart): unknown {
  switch (settings.part) {
    case 'codec':
      return codecRate(settings.seconds);
    case 'access':
      return accessRate(settings);
    case 'accounting':
      return accountingRate(settings);
    case 'stall':
      return interimStall(settings);
  }
}

tellParent({ result: await run(settingsSchema.parse(JSON.parse(process.argv[2] ?? ''))) });
