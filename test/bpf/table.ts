/** A row of a packet table, and what runs it: one frame in, one outcome, one frame out, and no other counter moved. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PacketBuilder, packet } from '../support/packet.js';
import { ACCESS_MAC, CORE_MAC, NEXT_HOP_MAC } from './namespace.js';
import { type ProgramName, type Rig, type Station, type Tags, Tc, type Traffic, Xdp } from './rig.js';

export interface Row {
  /** A sentence of the specification. */
  readonly name: string;
  readonly frame: Uint8Array;
  /** Where it arrives, or leaves with bng_egress; default access0, and core0 with bng_core. */
  readonly port?: string;
  /** A label of enum bng_verdict; of egress also `own` (let through) and `elsewhere` (to another port), both uncounted. */
  readonly verdict: string;
  /** A label of enum bng_drop_reason; with verdict `drop` only. */
  readonly drop?: string;
  /** What must leave; default: nothing is asserted for a drop, the frame as it came for all else. */
  readonly out?: Uint8Array;
  readonly traffic?: Readonly<Record<number, Traffic>>;
}

const XDP_CODES: Readonly<Record<string, number>> = {
  drop: Xdp.drop,
  punt: Xdp.drop,
  arp_reply: Xdp.tx,
  dhcp_reply: Xdp.tx,
  forward_up: Xdp.redirect,
  forward_down: Xdp.redirect,
  forward_local: Xdp.redirect,
  stack_up: Xdp.pass,
  stack_down: Xdp.pass,
  foreign: Xdp.pass,
};

const TC_CODES: Readonly<Record<string, number>> = {
  drop: Tc.shot,
  egress: Tc.ok,
  own: Tc.ok,
  elsewhere: Tc.redirect,
};

const UNCOUNTED = ['own', 'elsewhere'];

export function runTable(rig: () => Rig, program: ProgramName, rows: readonly Row[]): void {
  for (const row of rows) {
    test(row.name, () => {
      const seen = rig().run(program, row.frame, row.port);
      assert.deepEqual(
        { verdicts: seen.verdicts, drops: seen.drops, traffic: seen.traffic, returnValue: seen.returnValue },
        {
          verdicts: UNCOUNTED.includes(row.verdict) ? [] : [row.verdict],
          drops: row.drop === undefined ? [] : [row.drop],
          traffic: row.traffic ?? {},
          returnValue: (program === 'bng_egress' ? TC_CODES : XDP_CODES)[row.verdict],
        },
      );
      if (row.verdict === 'drop') return;
      assert.equal(seen.frame.toString('hex'), Buffer.from(row.out ?? row.frame).toString('hex'));
    });
  }
}

export function drops(name: string, drop: string, frame: PacketBuilder): Row {
  return { name, frame: frame.bytes(), verdict: 'drop', drop };
}

export function tagged(builder: PacketBuilder, tags: Tags): PacketBuilder {
  return tags.reduce((outer, [tpid, vlan]) => outer.tag(tpid, vlan), builder);
}

/** Ethernet and tags of a frame that a station sends to the gateway. */
export function from(station: Station, destination: string = ACCESS_MAC): PacketBuilder {
  return tagged(packet().ethernet(destination, station.mac), station.tags);
}

/** Ethernet and tags of a frame that the dataplane sends to a station. */
export function towards(station: Station): PacketBuilder {
  return tagged(packet().ethernet(station.mac, ACCESS_MAC), station.tags);
}

/** Ethernet of a frame that arrives on the core port, and of one that leaves there. */
export const fromCore = packet().ethernet(CORE_MAC, NEXT_HOP_MAC);
export const towardsCore = packet().ethernet(NEXT_HOP_MAC, CORE_MAC);

/** Ethernet of a frame that XDP hands up to the stack: our MAC, whoever it was sent to. */
export function towardsStack(station: Station): PacketBuilder {
  return packet().ethernet(ACCESS_MAC, station.mac);
}
