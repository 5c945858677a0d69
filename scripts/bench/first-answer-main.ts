/**
 * ONTs that have sessions ask one after the other, each once, until one is answered by user space: a part of the bench of a
 * start, in the namespace of the ONTs. Tells when that was on the wall clock.
 */
import { z } from 'zod';
import { loadNative } from '../../src/dataplane/load-native.js';
import { tellParent } from './bench-context.js';
import { ontFrame, readReply } from './ont-frames.js';

/** A DISCOVER is never answered by the dataplane; so often one is sent. */
const EVERY_MS = 10;

export const firstAnswerSettingsSchema = z.strictObject({ interface: z.string(), firstOnt: z.int() });

const settings = firstAnswerSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const native = loadNative();
const ifindex = native.interfaceIndex(settings.interface);
const sender = native.openPacketSocket({ ifindex });
let next = settings.firstOnt;
await new Promise<void>((resolve) => {
  const timer = setInterval(() => sender.send(ontFrame(next++, null)), EVERY_MS);
  const receiver = native.openPacketSocket({
    ifindex,
    onFrame: (frame) => {
      const reply = readReply(frame);
      if (reply?.type !== 'offer' || reply.ont < settings.firstOnt) return;
      tellParent({ result: { wallMs: Date.now(), ont: reply.ont } });
      clearInterval(timer);
      receiver.close();
      resolve();
    },
  });
});
sender.close();
