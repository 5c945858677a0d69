/**
 * A subscriber and the internet at a dataplane whose holders come and go: namespaces, wiring, entries, what counts beside it. For
 * tests of what outlives a process.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { ReconcileOutcome, ReconcileReport, SubscriberEntry } from '../../src/dataplane/port.js';
import { tearDown } from '../../src/dataplane/tear-down.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import type { TrafficCounters } from '../../src/model/traffic-counters.js';
import { eventually } from '../support/eventually.js';
import { Flow, Holder, startEcho } from './dataplane-holder.js';
import type { HolderSettings } from './dataplane-holder-options.js';
import { makeVeth, run, runIn, pass } from './dataplane-world.js';

export const BNG = 'ker-pin-bng';
export const SUBSCRIBER = 'ker-pin-sub';
export const CORE = 'ker-pin-core';

export const SUBSCRIBER_MAC = '02:00:00:00:00:11';
export const ADDRESS = '10.0.0.10';
export const WALLED = '10.0.0.20';
export const INTERNET = '198.51.100.7';
export const ALLOWED = '203.0.113.10';
export const pinPath = `/sys/fs/bpf/ker-pins-${process.pid}`;
export const SETTINGS: HolderSettings = { pinPath, allow: [ALLOWED] };

export const binding = loadNative();
let echo: ChildProcess | null = null;
const holders: Holder[] = [];

export const everything = (): string =>
  run(`ip link | sed 's/prog.*//'; ip -4 addr; ip route; nft list ruleset; tc qdisc show; ls -R /sys/fs/bpf
    sysctl net.ipv4.ip_forward net.ipv4.conf.all.send_redirects net.ipv4.conf.access0 net.ipv4.conf.core0 net.ipv6.conf.access0.disable_ipv6`);

export function entry(change: Partial<SubscriberEntry> = {}): SubscriberEntry {
  const ifindex = binding.interfaceIndex('access0');
  const attachment = { ifindex, sVlan: 0, cVlan: 0, mac: parseMac(SUBSCRIBER_MAC) };
  return {
    address: parseIpv4(ADDRESS),
    attachment,
    walled: false,
    downloadBitsPerSecond: 0,
    uploadBitsPerSecond: 0,
    ...change,
  };
}

export const walledEntry = (): SubscriberEntry => {
  const open = entry();
  return {
    ...open,
    address: parseIpv4(WALLED),
    walled: true,
    attachment: { ...open.attachment, mac: parseMac('02:00:00:00:00:20') },
  };
};

export async function hold(change: Partial<HolderSettings> = {}, program?: string): Promise<Holder> {
  const holder = await Holder.start({ ...SETTINGS, ...change }, program);
  holders.push(holder);
  return holder;
}

export async function reconcile(
  holder: Holder,
  wanted: readonly SubscriberEntry[],
): Promise<ReconcileReport> {
  const outcome = await holder.ask<ReconcileOutcome>({ verb: 'reconcile', wanted });
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason);
  return outcome.report;
}

export const traffic = (holder: Holder, address = ADDRESS): Promise<TrafficCounters | null> =>
  holder.ask({ verb: 'traffic', address: parseIpv4(address) });
export const warnings = (holder: Holder): Promise<readonly string[]> => holder.ask({ verb: 'warnings' });

/** A holder with the two subscribers, from nothing. */
export async function first(program?: string): Promise<Holder> {
  const holder = await hold({}, program);
  assert.deepEqual(await warnings(holder), []);
  assert.deepEqual(await reconcile(holder, [entry(), walledEntry()]), {
    kept: 0,
    missing: [parseIpv4(ADDRESS), parseIpv4(WALLED)],
    stale: [],
    foreign: [],
    removed: [],
  });
  return holder;
}

/** Octets of IPv4 to and from the internet, as the subscriber's own stack counts them. */
export function countIn(namespace: string): void {
  runIn(
    namespace,
    `nft add table ip count
     nft add counter ip count out; nft add counter ip count in
     nft "add chain ip count o { type filter hook output priority 0; }"
     nft "add chain ip count i { type filter hook input priority 0; }"
     nft add rule ip count o ip daddr ${INTERNET} counter name out
     nft add rule ip count i ip daddr ${ADDRESS} counter name in`,
  );
}

export function countedBy(namespace: string, name: string): bigint {
  const listing = runIn(namespace, `nft list counter ip count ${name}`);
  return BigInt(/bytes ([0-9]+)/.exec(listing)?.[1] ?? assert.fail(listing));
}

/**
 * Waits until the dataplane has counted since `start` what the subscriber's stack did: a flow that was told to stop still says
 * farewell on its TCP connection.
 */
export async function sameCount(holder: Holder, start: TrafficCounters): Promise<void> {
  await eventually('the same count here and there', async () => {
    const now = await traffic(holder);
    if (now === null) return null;
    const up = now.upstreamBytes - start.upstreamBytes === countedBy(SUBSCRIBER, 'out');
    const down = now.downstreamBytes - start.downstreamBytes === countedBy(SUBSCRIBER, 'in');
    return up && down ? true : null;
  });
}

export async function raiseWorld(): Promise<void> {
  makeVeth('access0', 'sub0');
  makeVeth('core0', 'net0');
  run(`ip link set sub0 netns ${SUBSCRIBER}; ip link set net0 netns ${CORE}`);
  run('ip link set core0 up; ip addr add 192.0.2.1/24 dev core0; ip route add default via 192.0.2.2');
  run('ip link set access0 up');
  runIn(
    SUBSCRIBER,
    `ip link set sub0 address ${SUBSCRIBER_MAC} mtu 1500 up; ip addr add ${ADDRESS}/24 dev sub0;
     ip route add default via 10.0.0.1`,
  );
  runIn(
    CORE,
    `ip link set net0 mtu 1500 up; ip addr add 192.0.2.2/24 dev net0; ip addr add ${INTERNET}/32 dev lo;
     ip addr add ${ALLOWED}/32 dev lo; ip route add 10.0.0.0/8 via 192.0.2.1`,
  );
  pass.attachIn(SUBSCRIBER, 'sub0');
  pass.attachIn(CORE, 'net0');
  echo = await startEcho(CORE);
}

/** Kills who holds the dataplane and takes away what they left. */
export async function clear(): Promise<void> {
  Flow.endAll();
  for (const holder of holders.splice(0)) await holder.kill();
  await tearDown({ binding, pinPath });
}

export async function lowerWorld(): Promise<void> {
  await clear();
  echo?.kill();
}
