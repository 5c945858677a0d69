/** Slabs of the punt ring: what the kernel hands up, and what a program of another build might. */
import assert from 'node:assert/strict';
import {
  BNG_LEASE_ANSWERED_SIZE,
  BNG_PUNT_SIZE,
  BngDhcpAnswer,
  BngPuntReason,
  writeBngLeaseAnswered,
  writeBngPunt,
} from '../../../src/dataplane/abi.js';
import { readPunts } from '../../../src/dataplane/punt-reader.js';
import { ringBatch, ringRecords } from '../../../src/dataplane/ring-records.js';
import { hex } from '../../wire/fixtures/bytes.js';
import type { FuzzTarget } from '../fuzz-target.js';

const HEAD = {
  timeNs: 1n,
  ifindex: 7,
  frameLength: 20,
  reason: BngPuntReason.dhcp,
  sVlan: 100,
  cVlan: 7,
  sTpid: 0x88a8,
  cTpid: 0x8100,
  l3Offset: 22,
};

function punted(): Uint8Array {
  const record = new Uint8Array(BNG_PUNT_SIZE + HEAD.frameLength);
  writeBngPunt(new DataView(record.buffer), 0, HEAD);
  return ringBatch(record);
}

function answered(): Uint8Array {
  const record = new Uint8Array(BNG_LEASE_ANSWERED_SIZE);
  writeBngLeaseAnswered(new DataView(record.buffer), 0, {
    head: { ...HEAD, frameLength: 0, reason: BngPuntReason.leaseAnswered },
    mac: hex('020000000001'),
    address: 0x0a000005,
    leaseSeconds: 600,
    answer: BngDhcpAnswer.ack,
  });
  return ringBatch(record);
}

export const target: FuzzTarget = {
  seeds: () => [punted(), answered(), new Uint8Array([...punted(), ...answered(), ...punted()])],
  maxBytes: 2_048,
  boundedRuns: 15_000,
  run: (input) => {
    let whole = 0;
    const broken = readPunts(input, input.length, {
      punted: ({ frame }) => {
        whole++;
        assert.ok(frame.length <= input.length);
        assert.equal(frame.buffer, input.buffer);
      },
      answered: ({ leaseSeconds }) => {
        whole++;
        assert.ok(Number.isInteger(leaseSeconds));
      },
    });
    const records = ringRecords(input, input.length);
    assert.equal(whole + broken, records.length, 'each record is read or counted as broken');
  },
};
