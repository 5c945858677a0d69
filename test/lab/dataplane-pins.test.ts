/** What outlives the process that holds the dataplane: killed, closed, started again, torn down. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { slotInMap } from '../../src/dataplane/address-index.js';
import { openPinnedMaps } from '../../src/dataplane/pinned-maps.js';
import type { DumpedSubscriber, ReconcileOutcome, RemoveOutcome } from '../../src/dataplane/port.js';
import { tearDown } from '../../src/dataplane/tear-down.js';
import { ipv4ToBytes, parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { NO_TRAFFIC } from '../../src/model/traffic-counters.js';
import { Flow } from './dataplane-holder.js';
import { NFT_TABLE } from './dataplane-holder-options.js';
import {
  ADDRESS,
  ALLOWED,
  binding,
  BNG,
  clear,
  CORE,
  countIn,
  entry,
  everything,
  first,
  hold,
  INTERNET,
  lowerWorld,
  pinPath,
  raiseWorld,
  reconcile,
  sameCount,
  SUBSCRIBER,
  traffic,
  WALLED,
  walledEntry,
  warnings,
} from './dataplane-pins-world.js';
import { enterNamespaces, makeVeth, run, runIn } from './dataplane-world.js';

enterNamespaces(import.meta.url, [BNG, SUBSCRIBER, CORE]);

let untouched = '';

before(async () => {
  await raiseWorld();
  untouched = everything();
});
beforeEach(clear);
after(lowerWorld);

test('killed and started again, every packet passes, every octet is counted, and the garden stays closed', async () => {
  const one = await first();
  runIn(SUBSCRIBER, `ping -q -c 1 -W 2 ${INTERNET}`);
  const before = await traffic(one);
  countIn(SUBSCRIBER);
  const flow = await Flow.start(SUBSCRIBER, INTERNET);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await one.kill();
  await new Promise((resolve) => setTimeout(resolve, 100));

  // Nobody is there, and the garden holds in XDP and in the firewall.
  const maps = openPinnedMaps(binding, pinPath);
  assert.ok(maps !== null);
  for (const { address } of [entry(), walledEntry()])
    assert.notEqual(slotInMap(maps.map('bng_addresses'), address), null);
  maps.close();
  assert.match(run(`nft list set inet ${NFT_TABLE} garden_members`), new RegExp(WALLED));

  const two = await hold();
  assert.deepEqual(await warnings(two), []);
  assert.deepEqual(await reconcile(two, [entry(), walledEntry()]), {
    kept: 2,
    missing: [],
    stale: [],
    foreign: [],
    removed: [],
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await two.close();
  const three = await hold();
  await reconcile(three, [entry(), walledEntry()]);
  const result = await flow.stop();
  assert.ok(result.sent > 100, `${result.sent} sent`);
  assert.equal(result.returned, result.sent);
  assert.equal(result.tcpReturned, result.tcpSent);

  assert.ok(before !== null);
  await sameCount(three, before);
});

test('pings while nobody holds the dataplane are counted to the byte by who holds it next', async () => {
  const one = await first();
  runIn(SUBSCRIBER, `ping -q -c 2 -i 0.01 -W 2 ${INTERNET}`);
  const before = await traffic(one);
  await one.kill();
  runIn(SUBSCRIBER, `ping -q -c 7 -i 0.01 -s 1472 -M do -W 2 ${INTERNET}`);
  const two = await hold();
  await reconcile(two, [entry(), walledEntry()]);
  const now = await traffic(two);
  assert.ok(now !== null && before !== null);
  assert.deepEqual(
    [now.upstreamPackets - before.upstreamPackets, now.upstreamBytes - before.upstreamBytes],
    [7n, 10_500n],
  );
  assert.equal(now.downstreamBytes - before.downstreamBytes, 10_500n);
});

test('what was counted last of a removed address is told by each start until it is forgotten', async () => {
  const one = await first();
  runIn(SUBSCRIBER, `ping -q -c 3 -i 0.01 -W 2 ${INTERNET}`);
  const address = parseIpv4(ADDRESS);
  const outcome = await one.ask<RemoveOutcome>({ verb: 'remove', address });
  assert.ok(outcome.ok && outcome.traffic.upstreamPackets >= 3n);
  const { traffic: last, receipt } = outcome;
  // Its number is not given away meanwhile.
  assert.deepEqual(await one.ask({ verb: 'install', entry: entry() }), { ok: true });
  await one.kill();
  const two = await hold();
  const { removed, foreign } = await reconcile(two, [walledEntry()]);
  assert.deepEqual(removed, [{ address, traffic: last, receipt }]);
  assert.deepEqual(
    foreign.map((one) => [one.address, one.traffic]),
    [[address, NO_TRAFFIC]],
  );
  await two.kill();
  const three = await hold();
  const again = await reconcile(three, [walledEntry()]);
  assert.deepEqual(
    new Set(again.removed.map((one) => one.receipt)),
    new Set([...removed, ...foreign].map((one) => one.receipt)),
  );
  await three.ask({ verb: 'forget', receipts: again.removed.flatMap((one) => one.receipt ?? []) });
  await three.kill();
  assert.deepEqual((await reconcile(await hold(), [walledEntry()])).removed, []);
});

test('a walled subscriber stays walled while nobody holds the dataplane, and while another takes over', async () => {
  const one = await hold();
  const walled = { ...entry(), walled: true };
  await reconcile(one, [walled]);
  await one.kill();
  const starting = hold();
  assert.match(runIn(SUBSCRIBER, `ping -q -c 30 -i 0.02 -W 1 ${INTERNET} || true`), /100% packet loss/);
  runIn(SUBSCRIBER, `ping -q -c 2 -i 0.01 -W 2 ${ALLOWED}`);
  assert.equal((await reconcile(await starting, [walled])).kept, 1);
});

test('what is missing, stale or foreign in maps and firewall is put right and reported', async () => {
  const one = await first();
  const stale = { ...entry(), address: parseIpv4('10.0.0.30') };
  const staleEntry = { ...stale, attachment: { ...stale.attachment, mac: parseMac('02:00:00:00:00:30') } };
  const foreign = { ...stale, address: parseIpv4('10.0.0.40') };
  const foreignEntry = {
    ...foreign,
    attachment: { ...foreign.attachment, mac: parseMac('02:00:00:00:00:40') },
  };
  for (const made of [staleEntry, foreignEntry]) {
    assert.deepEqual(await one.ask({ verb: 'install', entry: made }), { ok: true });
  }
  await one.kill();
  // A line nobody has, a member lost, a member nobody knows.
  const maps = openPinnedMaps(binding, pinPath);
  assert.ok(maps !== null);
  const lines = maps.map('bng_lines');
  const lineOf = lines.readAll();
  const ofAddress = lineOf.keys.subarray(0, lines.keySize);
  const strange = Uint8Array.from(ofAddress);
  strange[lines.keySize - 3] = 0x99;
  lines.update(strange, ipv4ToBytes(parseIpv4('10.0.0.99')));
  maps.close();
  run(`nft delete element inet ${NFT_TABLE} garden_members '{ ${WALLED} }'`);
  run(`nft add element inet ${NFT_TABLE} garden_members '{ 10.0.0.77, ${ADDRESS} }'`);

  const two = await hold();
  const missing = { ...entry(), address: parseIpv4('10.0.0.50') };
  const missingEntry = {
    ...missing,
    attachment: { ...missing.attachment, mac: parseMac('02:00:00:00:00:50') },
  };
  const wanted = [entry(), walledEntry(), { ...staleEntry, walled: true }, missingEntry];
  const report = await reconcile(two, wanted);
  assert.equal(report.kept, 0);
  assert.deepEqual(report.missing, [parseIpv4('10.0.0.50')]);
  assert.deepEqual(
    [...report.stale].sort(),
    [parseIpv4(ADDRESS), parseIpv4(WALLED), parseIpv4('10.0.0.30')].sort(),
  );
  assert.deepEqual(
    report.foreign.map(({ address }) => address).sort(),
    [parseIpv4('10.0.0.40'), parseIpv4('10.0.0.77')].sort(),
  );
  const dump = await two.ask<readonly DumpedSubscriber[]>({ verb: 'dump' });
  assert.equal(dump.length, 4);
  assert.equal(new Set(dump.map(({ slot }) => slot)).size, 4);
  for (const { address, walled, gardenMember } of dump) assert.equal(gardenMember, walled, String(address));
  assert.doesNotMatch(run(`nft list set inet ${NFT_TABLE} garden_members`), /10\.0\.0\.(77|10[^0-9])/);
  await two.kill();
  const three = await hold();
  assert.equal((await reconcile(three, wanted)).kept, 4);
  assert.equal((await three.ask<ReconcileOutcome>({ verb: 'reconcile', wanted })).ok, false);
});

test('frames handed up while nobody listened are read by the next process', async () => {
  const one = await first();
  await one.kill();
  const discover = `const s = require('dgram').createSocket('udp4'); s.bind(68, () => { s.setBroadcast(true);
    s.send(Buffer.alloc(300), 67, '255.255.255.255', () => process.exit()); })`;
  runIn(SUBSCRIBER, `${process.execPath} -e "${discover}"`);
  const two = await hold();
  assert.equal(await two.ask({ verb: 'punts' }), 1);
});

test('a changed garden, XDP mode and core interface are taken over at the next start, and said', async () => {
  const one = await first();
  await one.kill();
  makeVeth('core1', 'net1');
  run('ip link set core1 up');
  const two = await hold({ allow: [INTERNET], xdpMode: 'generic', core: 'core1' });
  const said = (await warnings(two)).join('\n');
  assert.match(
    said,
    /bng_access on access0 is attached anew in generic mode: it was attached in native mode/,
  );
  assert.match(said, /bng_core-core0 is not configured any more: detached/);
  assert.equal(binding.xdpOf(binding.interfaceIndex('core0')), null);
  assert.equal(binding.xdpOf(binding.interfaceIndex('access0'))?.mode, 'generic');
  const maps = openPinnedMaps(binding, pinPath);
  assert.ok(maps !== null);
  const { keys, count } = maps.map('bng_garden').readAll();
  const addresses = Array.from({ length: count }, (_, i) => keys.subarray(i * 8 + 4, i * 8 + 8).join('.'));
  assert.ok(addresses.includes(INTERNET) && !addresses.includes(ALLOWED));
  maps.close();
  await two.close();
  await tearDown({ binding, pinPath });
  run('ip link del core1');
});

test('a pin folder that a crash left incomplete is repaired at the next start, and said', async () => {
  const one = await first();
  await one.kill();
  const folder = join(pinPath, readdirSync(pinPath).find((name) => name.startsWith('v')) ?? '');
  unlinkSync(join(folder, 'maps', 'bng_lines'));
  unlinkSync(join(folder, 'links', 'bng_core-core0'));
  const two = await hold();
  assert.match((await warnings(two)).join('\n'), /not complete: made anew and empty: bng_lines/);
  const report = await reconcile(two, [entry(), walledEntry()]);
  assert.deepEqual([...report.stale].sort(), [parseIpv4(ADDRESS), parseIpv4(WALLED)].sort());
  runIn(SUBSCRIBER, `ping -q -c 2 -i 0.01 -W 2 ${INTERNET}`);
  await two.kill();
  await tearDown({ binding, pinPath });

  // A folder alone, as a crash before the first pin leaves it, and something that is no map.
  mkdirSync(join(folder, 'maps'), { recursive: true });
  mkdirSync(join(folder, 'maps', 'bng_lines'));
  const three = await hold();
  await reconcile(three, [entry()]);
  runIn(SUBSCRIBER, `ping -q -c 2 -i 0.01 -W 2 ${INTERNET}`);
});

test('types lie beside the maps, each BTF once; where a build left none they are asked of the kernel and kept', async () => {
  const one = await first();
  await one.kill();
  const folder = join(pinPath, readdirSync(pinPath).find((name) => name.startsWith('v')) ?? '');
  const inside = (part: string): string[] => readdirSync(join(folder, part)).sort();
  assert.deepEqual(inside('types'), inside('maps'));
  const [kept] = inside('btf');
  assert.deepEqual(inside('btf'), [kept]);
  rmSync(join(folder, 'types'), { recursive: true });
  binding.createArray('nobodys', new Uint8Array(9)).pin(join(folder, 'btf', 'nobodys'));
  const two = await hold();
  assert.deepEqual((await reconcile(two, [entry(), walledEntry()])).kept, 2);
  assert.ok(!inside('btf').includes('nobodys'));
  // A map of devices has no types.
  assert.deepEqual(
    inside('maps').filter((name) => !inside('types').includes(name)),
    ['bng_ports'],
  );
  await two.kill();
  const three = await hold();
  assert.deepEqual(await warnings(three), []);
  assert.equal((await reconcile(three, [entry(), walledEntry()])).kept, 2);
});

test('fewer or more subscribers than before: what is pinned moves into maps of the new size', async () => {
  const one = await first();
  runIn(SUBSCRIBER, `ping -q -c 5 -i 0.01 -W 2 ${INTERNET}`);
  const before = await traffic(one);
  await one.kill();
  const two = await hold({ maxSubscribers: 32 });
  assert.match(
    (await warnings(two)).join('\n'),
    /bng_subscribers is of another build \(maxEntries 16 instead of 32\)/,
  );
  assert.equal((await reconcile(two, [entry(), walledEntry()])).kept, 2);
  assert.deepEqual(await traffic(two), before);
});

test('teardown leaves the machine as it was, also twice and after a crash', async () => {
  assert.equal(everything(), untouched);
  const one = await first();
  await one.kill();
  const two = await hold();
  await two.kill();
  assert.notEqual(everything(), untouched);
  assert.equal(await tearDown({ binding, pinPath }), true);
  assert.equal(everything(), untouched);
  assert.equal(await tearDown({ binding, pinPath }), false);
  assert.equal(binding.xdpOf(binding.interfaceIndex('access0')), null);
});

test('a first start that fails leaves nothing; a later one leaves what goes on without it', async () => {
  await assert.rejects(hold({ core: 'nowhere0' }));
  assert.equal(everything(), untouched);
  const one = await first();
  await one.kill();
  await assert.rejects(hold({ core: 'nowhere0' }));
  runIn(SUBSCRIBER, `ping -q -c 2 -i 0.01 -W 2 ${INTERNET}`);
});
