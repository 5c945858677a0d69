/** Another build takes over, whose maps, records and labels are laid out otherwise: under traffic, forwards and back. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { BngAbiVersion } from '../../src/dataplane/abi.js';
import { openPinnedMaps } from '../../src/dataplane/pinned-maps.js';
import { NO_TRAFFIC } from '../../src/model/traffic-counters.js';
import { Flow, type Holder } from './dataplane-holder.js';
import { NFT_TABLE } from './dataplane-holder-options.js';
import {
  ALLOWED,
  binding,
  BNG,
  clear,
  CORE,
  countIn,
  entry,
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
import { enterNamespaces, run, runIn } from './dataplane-world.js';
import { OtherBuild } from './other-build.js';

enterNamespaces(import.meta.url, [BNG, SUBSCRIBER, CORE]);

const NEXT = BngAbiVersion.version + 1;
let build: OtherBuild;
let next = '';

function sentBy(namespace: string, name: string): bigint {
  const said = runIn(namespace, `ip -s -j link show dev ${name}`);
  const [, packets] = /"tx":\{[^}]*"packets":([0-9]+)/.exec(said) ?? [];
  return BigInt(packets ?? assert.fail(said));
}

function replaced(text: string, what: RegExp, by: string): string {
  assert.match(text, what);
  return text.replace(what, by);
}

/** New fields in front of old ones (but for a subscriber's first word, which says whose the slot is), a new reason among the old, a record with a longer head. */
function changedHeader(header: string): string {
  let text = replaced(header, /BNG_ABI_VERSION = \d+/, `BNG_ABI_VERSION = ${NEXT}`);
  text = replaced(text, /(struct bng_subscriber \{\n.*\n.*\n)/, '$1\t__u32 added;\n\t__u32 more;\n');
  text = replaced(text, /(struct bng_line_key \{\n)/, '$1\t__u32 added;\n\t__u32 more;\n');
  text = replaced(text, /(struct bng_traffic \{\n)/, '$1\t__u64 added_packets;\n');
  text = replaced(text, /(struct bng_punt \{\n)/, '$1\t__u64 added;\n');
  let reason = 0;
  return text.replace(/enum bng_drop_reason \{[^}]*\}/, (drops) =>
    replaced(drops, /BNG_DROP_TOO_MANY_TAGS/, 'BNG_DROP_ADDED = 0,\n\tBNG_DROP_TOO_MANY_TAGS').replace(
      /(BNG_DROP_[A-Z_0-9]+) = \d+/g,
      (_, name: string) => `${name} = ${reason++}`,
    ),
  );
}

before(async () => {
  build = new OtherBuild(changedHeader);
  next = build.program('test/lab/dataplane-holder-main.js');
  await raiseWorld();
});
beforeEach(clear);
after(async () => {
  await lowerWorld();
  build.remove();
});

const verdicts = (holder: Holder): Promise<Readonly<Record<string, bigint>>> =>
  holder.ask({ verb: 'verdicts' });
const drops = (holder: Holder): Promise<Readonly<Record<string, bigint>>> => holder.ask({ verb: 'drops' });
/** Frames that the stacks of both sides have sent. */
const sent = (): bigint => sentBy(SUBSCRIBER, 'sub0') + sentBy(CORE, 'net0');
const folders = (): string[] => readdirSync(pinPath).filter((name) => name.startsWith('v'));

test('forwards and back under traffic, no packet is lost, every octet is counted, the garden stays closed', async () => {
  const one = await first();
  runIn(SUBSCRIBER, `ping -q -c 1 -W 2 ${INTERNET}`);
  const start = (await traffic(one)) ?? NO_TRAFFIC;
  countIn(SUBSCRIBER);
  const flow = await Flow.start(SUBSCRIBER, INTERNET);
  const wanted = [entry(), walledEntry()];
  await one.kill();
  assert.deepEqual(folders(), [`v${NEXT - 1}`]);

  const two = await hold({}, next);
  assert.match((await warnings(two)).join('\n'), /bng_subscribers is of another build/);
  assert.deepEqual(await reconcile(two, wanted), {
    kept: 2,
    missing: [],
    stale: [],
    foreign: [],
    removed: [],
  });
  assert.deepEqual(folders(), [`v${NEXT}`]);
  assert.match(run(`nft list set inet ${NFT_TABLE} garden_members`), new RegExp(WALLED));
  await two.kill();

  const three = await hold();
  assert.equal((await reconcile(three, wanted)).kept, 2);
  assert.deepEqual(folders(), [`v${NEXT - 1}`]);
  const result = await flow.stop();
  assert.ok(result.sent > 100, `${result.sent} sent`);
  assert.equal(result.returned, result.sent);
  assert.equal(result.tcpReturned, result.tcpSent);
  await sameCount(three, start);
});

test('a walled subscriber meets the garden all the while another build takes over', async () => {
  const walled = { ...entry(), walled: true };
  const one = await hold();
  await reconcile(one, [walled]);
  await one.kill();
  const starting = hold({}, next);
  assert.match(runIn(SUBSCRIBER, `ping -q -c 60 -i 0.02 -W 1 ${INTERNET} || true`), /100% packet loss/);
  const two = await starting;
  runIn(SUBSCRIBER, `ping -q -c 2 -i 0.01 -W 2 ${ALLOWED}`);
  assert.equal((await reconcile(two, [walled])).kept, 1);
});

test('counters keep the meaning of their labels', async () => {
  const one = await first();
  runIn(
    SUBSCRIBER,
    `ping -q -c 3 -i 0.01 -W 2 ${INTERNET}; ping -q -c 2 -i 0.01 -W 1 127.0.0.99 -I sub0 || true`,
  );
  await one.ask({ verb: 'remove', address: entry().address });
  runIn(SUBSCRIBER, `ping -q -c 2 -i 0.01 -W 1 ${INTERNET} || true`);
  const sentBefore = sent();
  const dropped = await drops(one);
  const forwarded = await verdicts(one);
  assert.ok((dropped['unknown_line'] ?? 0n) >= 2n);
  await one.kill();
  const two = await hold({}, next);
  const after_ = await drops(two);
  // Neighbours that nobody answers are asked for again meanwhile.
  const since = sent() - sentBefore;
  assert.equal(after_['added'], 0n);
  for (const [reason, count] of Object.entries(dropped)) {
    const now = after_[reason] ?? 0n;
    assert.ok(now >= count && now <= count + since, `${reason}: ${count}, then ${now}; ${since} were sent`);
  }
  assert.equal((await verdicts(two))['forward_up'], forwarded['forward_up']);
});

test('frames that the old programs handed up are read by the new build', async () => {
  const one = await first();
  await one.kill();
  const discover = `const s = require('dgram').createSocket('udp4'); s.bind(68, () => { s.setBroadcast(true);
    s.send(Buffer.alloc(300), 67, '255.255.255.255', () => process.exit()); })`;
  runIn(SUBSCRIBER, `${process.execPath} -e "${discover}"`);
  const two = await hold({}, next);
  assert.equal(await two.ask({ verb: 'punts' }), 1);
});

test('a migration that a crash cut short is begun anew, or finished, by the next start', async () => {
  const one = await first();
  runIn(SUBSCRIBER, `ping -q -c 5 -i 0.01 -W 2 ${INTERNET}`);
  const before_ = await traffic(one);
  await one.kill();
  // As after the first pins of the new version: some maps, no link.
  const maps = openPinnedMaps(binding, pinPath);
  assert.ok(maps !== null);
  run(`mkdir -p ${pinPath}/v${NEXT}/maps ${pinPath}/v${NEXT}/links`);
  maps.map('bng_local').pin(join(pinPath, `v${NEXT}`, 'maps', 'bng_local'));
  maps.close();
  const two = await hold({}, next);
  assert.match((await warnings(two)).join('\n'), /did not finish: migration to .* begins anew/);
  assert.equal((await reconcile(two, [entry(), walledEntry()])).kept, 2);
  assert.equal(existsSync(join(pinPath, `v${NEXT - 1}`)), false);
  await two.kill();
  const three = await hold();
  await reconcile(three, [entry(), walledEntry()]);
  assert.deepEqual(await traffic(three), before_);
});
