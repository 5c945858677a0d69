/** Turns a batch of ring buffer records into what they tell of. Pure; knows nothing of what is in a frame. */
import { ipv4FromNumber } from '../model/ipv4.js';
import { macFromBytes } from '../model/mac.js';
import {
  BNG_LEASE_ANSWERED_SIZE,
  BNG_PUNT_SIZE,
  BngDhcpAnswer,
  BngPuntReason,
  readBngLeaseAnswered,
  readBngPunt,
} from './abi.js';
import type { AnsweredLease, PuntedFrame } from './port.js';

const RECORD_HEAD = 8;

/** As the kernel tells it: on CLOCK_MONOTONIC. */
export type ToldAnswer = Omit<AnsweredLease, 'atMs'> & { readonly atNs: bigint };

export interface PuntListeners {
  readonly punted: (punted: PuntedFrame) => void;
  readonly answered: (answered: ToldAnswer) => void;
}

/**
 * Calls a listener for each record of a slab (u32 length, u32 zero, bytes, padded to 8) and returns how many records
 * were not whole: only a program of another build writes such. Frames are views into the slab, valid during the call.
 */
export function readPunts(slab: Uint8Array, used: number, listeners: PuntListeners): number {
  const view = new DataView(slab.buffer, slab.byteOffset, used);
  let broken = 0;
  let at = 0;
  while (at + RECORD_HEAD <= used) {
    const length = view.getUint32(at, true);
    const start = at + RECORD_HEAD;
    at = start + Math.ceil(length / 8) * 8;
    if (length < BNG_PUNT_SIZE || start + length > used) {
      broken++;
      continue;
    }
    const punt = readBngPunt(view, start);
    if (punt.reason === BngPuntReason.leaseAnswered) {
      if (length < BNG_LEASE_ANSWERED_SIZE) broken++;
      else listeners.answered(readAnswer(view, start));
      continue;
    }
    if (BNG_PUNT_SIZE + punt.frameLength > length) {
      broken++;
      continue;
    }
    const from = start + BNG_PUNT_SIZE;
    listeners.punted({
      frame: slab.subarray(from, from + punt.frameLength),
      ifindex: punt.ifindex,
      sVlan: punt.sVlan,
      cVlan: punt.cVlan,
      sTpid: punt.sTpid,
      cTpid: punt.cTpid,
      ...(punt.reason === BngPuntReason.sighted ? { isSighting: true } : {}),
    });
  }
  return broken;
}

function readAnswer(view: DataView, at: number): ToldAnswer {
  const { head, mac, address, leaseSeconds, answer } = readBngLeaseAnswered(view, at);
  const { ifindex, sVlan, cVlan } = head;
  return {
    answer: answer === BngDhcpAnswer.ack ? 'ack' : 'offer',
    address: ipv4FromNumber(address),
    attachment: { ifindex, sVlan, cVlan, mac: macFromBytes(mac) },
    leaseSeconds,
    atNs: head.timeNs,
  };
}
