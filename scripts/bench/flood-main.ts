/**
 * One line that floods: DHCP under made-up MACs, ARP, and packets under another's address, as many a second as told, whoever
 * reads them; or as many of the same lengths that are of no protocol at all. Tells when it has begun and ends by itself.
 */
import { loadNative } from '../../src/dataplane/load-native.js';
import { tellParent } from './bench-context.js';
import { ontFrame, tagsOf } from './ont-frames.js';
import { floodSettingsSchema } from './flood-settings.js';
import { arpRequest, taggedFrame } from './packet-cases.js';

const settings = floodSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));

/** A line that nobody else is on. */
const FLOODER = 3_999_999;
const MADE_UP = 256;
const SOURCE_MAC = 6;
const S_TAG = 14;
const C_TAG = 18;
const ETHERTYPE = 20;
/** IEEE 802 Local Experimental. */
const NO_PROTOCOL = 0x88b5;
/** Behind Ethernet, two tags, IPv4 and what precedes it of UDP. */
const UDP_CHECKSUM = 14 + 8 + 20 + 6;
/** `chaddr` behind UDP's header and 28 bytes of the message. */
const CHADDR = UDP_CHECKSUM + 2 + 28;

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
  frame.writeUInt16BE(0, UDP_CHECKSUM); // none computed (RFC 768): the message is good, or nobody would read it
  return frame;
}

const frames = Array.from({ length: MADE_UP }, (_, n) => [
  discover(n),
  flooded(arpRequest(n), n),
  flooded(taggedFrame(), n),
]).flat();
if (settings.frames === 'junk')
  for (const frame of frames)
    Buffer.from(frame.buffer, frame.byteOffset).writeUInt16BE(NO_PROTOCOL, ETHERTYPE);
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
