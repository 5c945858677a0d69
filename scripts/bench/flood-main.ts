/**
 * One line that floods: DHCP under made-up MACs, ARP, and packets under another's address, as many a second as told, whoever
 * reads them. Tells when it has begun and ends by itself.
 */
import { z } from 'zod';
import { loadNative } from '../../src/dataplane/load-native.js';
import { tellParent } from './bench-context.js';
import { ontFrame, tagsOf } from './ont-frames.js';
import { arpRequest, taggedFrame } from './packet-cases.js';

const settings = z
  .strictObject({ interface: z.string(), perSecond: z.int(), milliseconds: z.int() })
  .parse(JSON.parse(process.argv[2] ?? ''));

/** A line that nobody else is on. */
const FLOODER = 3_999_999;
const MADE_UP = 256;
const SOURCE_MAC = 6;
const S_TAG = 14;
const C_TAG = 18;
/** `chaddr` behind Ethernet, two tags, IPv4, UDP and 28 bytes of the message. */
const CHADDR = 14 + 8 + 20 + 8 + 28;

/** The frame as the flooder's own line would have it, from the made-up station `n`. */
function flooded(frame: Uint8Array, n: number): Uint8Array {
  const copy = Buffer.from(frame);
  const { sVlan, cVlan } = tagsOf(FLOODER);
  copy.writeUInt16BE(sVlan, S_TAG);
  copy.writeUInt16BE(cVlan, C_TAG);
  copy.writeUInt32BE(n, SOURCE_MAC + 2);
  return copy;
}

function discover(n: number): Uint8Array {
  const frame = Buffer.from(flooded(ontFrame(FLOODER, null), n));
  frame.writeUInt32BE(n, CHADDR + 2);
  return frame;
}

const frames = Array.from({ length: MADE_UP }, (_, n) => [
  discover(n),
  flooded(arpRequest(n), n),
  flooded(taggedFrame(), n),
]).flat();
const native = loadNative();
const socket = native.openPacketSocket({ ifindex: native.interfaceIndex(settings.interface) });
const began = performance.now();
let sent = 0;
let refused = 0;
tellParent({ progress: 'begun' });
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const elapsed = performance.now() - began;
    const due = Math.floor((Math.min(elapsed, settings.milliseconds) * settings.perSecond) / 1000);
    for (; sent < due; sent++)
      if (!socket.send(frames[sent % frames.length] ?? new Uint8Array(60))) refused++;
    if (elapsed < settings.milliseconds) return;
    clearInterval(timer);
    resolve();
  }, 1);
});
socket.close();
tellParent({ result: { sent: sent - refused } });
