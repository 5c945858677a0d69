/** The in-memory dataplane keeps the promises of the port. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDataplane } from '../../src/dataplane/memory-dataplane.js';
import type { PuntedFrame, SubscriberEntry } from '../../src/dataplane/port.js';
import { Slots } from '../../src/dataplane/slots.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { NO_TRAFFIC } from '../../src/model/traffic-counters.js';

const ENTRY: SubscriberEntry = {
  address: parseIpv4('10.0.0.2'),
  attachment: { ifindex: 3, sVlan: 100, cVlan: 7, mac: parseMac('02:00:00:00:00:01') },
  walled: true,
  downloadBitsPerSecond: 0,
  uploadBitsPerSecond: 0,
};

test('an update keeps slot and counters, and removing gives the final ones', async () => {
  const dataplane = new MemoryDataplane();
  assert.deepEqual(await dataplane.install(ENTRY), { ok: true });
  const traffic = { upstreamPackets: 1n, upstreamBytes: 60n, downstreamPackets: 2n, downstreamBytes: 99n };
  dataplane.setTraffic(ENTRY.address, traffic);
  assert.deepEqual(await dataplane.update({ ...ENTRY, walled: false }), { ok: true });
  assert.deepEqual(await dataplane.dump(), [
    { ...ENTRY, walled: false, slot: 0, traffic, gardenMember: false },
  ]);
  assert.deepEqual(await dataplane.remove(ENTRY.address), { ok: true, traffic, receipt: 0 });
  assert.deepEqual(await dataplane.remove(ENTRY.address), {
    ok: true,
    traffic: NO_TRAFFIC,
    receipt: null,
  });
  assert.equal(dataplane.traffic(ENTRY.address), null);
  assert.deepEqual(
    dataplane.calls.map(({ verb }) => verb),
    ['install', 'update', 'remove', 'remove'],
  );
});

test('an address, a line and the last slot are given once', async () => {
  const dataplane = new MemoryDataplane({ capacity: 1 });
  const other = { ...ENTRY, address: parseIpv4('10.0.0.3') };
  const elsewhere = { ...other, attachment: { ...other.attachment, cVlan: 8 } };
  assert.equal((await dataplane.install(ENTRY)).ok, true);
  for (const refused of [ENTRY, other, elsewhere]) assert.equal((await dataplane.install(refused)).ok, false);
  assert.equal((await dataplane.update(elsewhere)).ok, false);
  const removed = await dataplane.remove(ENTRY.address);
  assert.equal((await dataplane.install(elsewhere)).ok, false, 'what it counted last is still kept');
  assert.ok(removed.ok);
  dataplane.forget([removed.receipt ?? -1]);
  assert.equal((await dataplane.install(elsewhere)).ok, true);
});

test('frames go both ways, and a refusal can be asked for', async () => {
  const dataplane = new MemoryDataplane();
  const punted: PuntedFrame = {
    frame: Uint8Array.of(1),
    ifindex: 3,
    sVlan: 0,
    cVlan: 0,
    sTpid: 0,
    cTpid: 0,
  };
  assert.equal(dataplane.punt(punted), false);
  const seen: PuntedFrame[] = [];
  dataplane.onPunt((frame) => seen.push(frame));
  assert.equal(dataplane.punt(punted), true);
  assert.deepEqual(seen, [punted]);
  assert.equal(dataplane.transmit(3, Uint8Array.of(2)), true);
  dataplane.setQueueFull(true);
  assert.equal(dataplane.transmit(3, Uint8Array.of(3)), false);
  assert.deepEqual(dataplane.transmitted, [{ ifindex: 3, frame: Uint8Array.of(2) }]);
  dataplane.refuseNext('map full');
  assert.deepEqual(await dataplane.install(ENTRY), { ok: false, reason: 'map full' });
  assert.equal((await dataplane.install(ENTRY)).ok, true);
  assert.equal(dataplane.drops()['garden'], 0n);
});

test('slots are given once, freed ones first, and never beyond the capacity', () => {
  const slots = new Slots(2);
  assert.deepEqual([slots.take(), slots.take(), slots.take()], [0, 1, null]);
  slots.free(0);
  assert.deepEqual([slots.take(), slots.take(), slots.highest], [0, null, 2]);
});
