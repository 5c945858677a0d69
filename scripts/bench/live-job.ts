/** What live.bpf.c is told and what it counts, as bytes and values. Measures nothing. */
import { z } from 'zod';
import { ipv4FromNumber, parseIpv4 } from '../../src/model/ipv4.js';
import { type Mac, parseMac } from '../../src/model/mac.js';
import { ETHERTYPE_IPV4, ethernetHeaderLength, writeEthernetHeader } from '../../src/wire/ethernet.js';
import { IPV4_UDP_HEADER_LENGTH, writeIpv4Udp } from '../../src/wire/ipv4-udp.js';

const TEMPLATE_BYTES = 64;
/** `struct live_job`: the template and eight words. */
const JOB_BYTES = TEMPLATE_BYTES + 8 * 4;
/** Somebody in the core; routed there by default. */
const PEER = parseIpv4('192.0.2.80');

export const DIRECTIONS = ['up', 'down'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** One direction's load: subscribers `firstAddress` and on, drawn by chance, frames of `least` to `most` bytes. */
export const liveJobSchema = z.strictObject({
  /** Interfaces that frames are sent on and that they come out of. */
  from: z.string(),
  to: z.string(),
  destinationMac: z.string(),
  subscribers: z.int(),
  firstAddress: z.int(),
  least: z.int(),
  most: z.int(),
  tagged: z.boolean(),
});
export type LiveJob = z.infer<typeof liveJobSchema>;

export const countSchema = z.strictObject({ packets: z.int(), bytes: z.int() });
export type Count = z.infer<typeof countSchema>;

function template(job: LiveJob, direction: Direction): Uint8Array {
  const tag = (tpid: number) => ({ tpid, vlanId: 0, priority: 0, dropEligible: false });
  const header = {
    destination: parseMac(job.destinationMac),
    source: (direction === 'up' ? 0x02_10_00_00_00_00 : 0x02_00_00_00_cc_01) as Mac,
    tags: job.tagged ? [tag(0x88a8), tag(0x8100)] : [],
    etherType: ETHERTYPE_IPV4,
  };
  const payload = new Uint8Array(TEMPLATE_BYTES - ethernetHeaderLength(header) - IPV4_UDP_HEADER_LENGTH);
  const frame = new Uint8Array(TEMPLATE_BYTES);
  const subscriber = ipv4FromNumber(job.firstAddress);
  const [sourceIp, destinationIp] = direction === 'up' ? [subscriber, PEER] : [PEER, subscriber];
  const at = writeEthernetHeader(frame, header);
  writeIpv4Udp(frame, at, { sourceIp, destinationIp, sourcePort: 40_000, destinationPort: 9_000, payload });
  // No checksum: it would have to change with the address and the length.
  frame.fill(0, at + 26, at + 28);
  return frame;
}

/** The bytes of `struct live_job`. */
export function encodeJob(job: LiveJob, direction: Direction, sinkIfindex: number): Uint8Array {
  const bytes = new Uint8Array(JOB_BYTES);
  bytes.set(template(job, direction));
  const view = new DataView(bytes.buffer);
  const words = [job.least, job.most, job.subscribers, job.firstAddress, 42, sinkIfindex];
  [...words, Number(job.tagged), 0].forEach((word, index) =>
    view.setUint32(TEMPLATE_BYTES + index * 4, word, true),
  );
  return bytes;
}

/** Counts of one direction by subscriber, from the sums of live_sent or live_received. */
export function countsOf(sums: BigUint64Array, direction: Direction, subscribers: number): Count[] {
  return Array.from({ length: subscribers }, (_, n) => {
    const at = 2 * (2 * n + DIRECTIONS.indexOf(direction));
    return { packets: Number(sums[at] ?? 0n), bytes: Number(sums[at + 1] ?? 0n) };
  });
}
