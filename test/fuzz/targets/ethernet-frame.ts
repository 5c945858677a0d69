/** Frames: Ethernet with VLAN tags, ARP, IPv4 with UDP, DHCP in it, and what the access node makes of them. */
import assert from 'node:assert/strict';
import { frameForCustomer, frameForTrunk } from '../../../src/olt/dhcp-snoop.js';
import { decodeArp, encodeArp } from '../../../src/wire/arp.js';
import { decodeDhcpFrame } from '../../../src/wire/dhcpv4-frame.js';
import { decodeEthernet, encodeEthernet, vlanTag } from '../../../src/wire/ethernet.js';
import { decodeIpv4Udp, encodeIpv4Udp } from '../../../src/wire/ipv4-udp.js';
import { capturedFrames, hex } from '../../wire/fixtures/bytes.js';
import { withRightSums } from '../right-sums.js';
import { valueOf } from '../value-or-wire-error.js';
import type { FuzzTarget } from '../fuzz-target.js';

const LINE = {
  circuitId: hex('6167672d30317c312f312f31'),
  remoteId: hex('4f4e543031'),
  tags: [vlanTag(0x88a8, 100), vlanTag(0x8100, 7)],
};

function datagramIn(frame: Uint8Array, offset: number): void {
  const datagram = valueOf(() => decodeIpv4Udp(frame, offset));
  if (datagram !== null) assert.deepEqual(decodeIpv4Udp(encodeIpv4Udp(datagram)), datagram);
}

export const target: FuzzTarget = {
  seeds: () => {
    const frames = capturedFrames.map(({ frame }) => frame);
    const requests = capturedFrames.filter(({ name }) => name.endsWith('discover'));
    return [...frames, ...requests.map(({ frame }) => frameForTrunk(frame, LINE))];
  },
  maxBytes: 1_522,
  boundedRuns: 6_000,
  run: (input) => {
    valueOf(() => frameForTrunk(input, LINE));
    valueOf(() => frameForCustomer(input));
    valueOf(() => decodeDhcpFrame(input));
    const ethernet = valueOf(() => decodeEthernet(input));
    if (ethernet === null) return;
    const { payloadOffset } = ethernet;
    assert.deepEqual(encodeEthernet(ethernet, input.subarray(payloadOffset)), input);
    const arp = valueOf(() => decodeArp(input, payloadOffset));
    if (arp !== null) assert.deepEqual(encodeArp(arp), input.slice(payloadOffset, payloadOffset + 28));
    datagramIn(input, payloadOffset);
    const mended = withRightSums(input, payloadOffset);
    datagramIn(mended, payloadOffset);
    valueOf(() => decodeDhcpFrame(mended));
    valueOf(() => frameForTrunk(mended, LINE));
    valueOf(() => frameForCustomer(mended));
  },
};
