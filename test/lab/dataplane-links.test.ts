/** Preparing interfaces: what is changed, what is left alone, what is only warned of. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { before, describe, test } from 'node:test';
import { LinkSetup, type LinkSetupOptions, readLink } from '../../src/dataplane/link-setup.js';
import { UndoJournal } from '../../src/dataplane/undo-journal.js';
import { isBngError } from '../../src/model/bng-error.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import { patience } from '../../src/lab/patience.js';
import { enterNamespaces, makeVeth, run } from './dataplane-world.js';

enterNamespaces(import.meta.url, ['ker-links']);

const OPTIONS = {
  accessInterfaces: ['access0'],
  coreInterfaces: ['core0'],
  subscriberMtu: 1500,
  pools: [{ network: parsePrefix('10.0.0.0/16'), gateway: parseIpv4('10.0.0.1') }],
  localAddresses: [parseIpv4('10.0.0.1'), parseIpv4('10.0.0.2')],
  tune: false,
  deadlineMs: 5000 * patience,
};
const everything = (): string =>
  run(`ip link; ip -4 addr; ip route; ethtool -k access0; sysctl net.ipv4.ip_forward net.ipv4.conf.access0.rp_filter
    sysctl net.ipv6.conf.access0.disable_ipv6`);

function setup(options: Omit<LinkSetupOptions, 'journal'>) {
  const journal = new UndoJournal(null);
  return { links: new LinkSetup({ ...options, journal }), revert: () => journal.revert(options.deadlineMs) };
}

before(() => {
  makeVeth('access0', 'sub0');
  makeVeth('core0', 'net0');
  run(
    'sysctl -qw net.ipv4.conf.access0.rp_filter=1 net.ipv4.ip_forward=0; ip link set access0 up; ip link set core0 up',
  );
  run('ip link set sub0 up; ip link set net0 up');
});

test('interfaces are prepared, and taken back to what they were', async () => {
  const was = everything();
  const { links, revert } = setup(OPTIONS);
  await links.apply();
  assert.deepEqual(links.warnings, []);
  const link = await readLink('access0', 5000);
  assert.ok(link.flags.includes('NOARP') && link.flags.includes('UP'));
  assert.match(run('ip route show 10.0.0.0/16'), /dev access0 .*src 10\.0\.0\.1 mtu 1500/);
  assert.match(run('sysctl net.ipv4.ip_forward net.ipv4.conf.access0.rp_filter'), /= 1\n.*= 0\n/);
  assert.deepEqual(await revert(), []);
  assert.deepEqual(await revert(), []);
  assert.equal(everything(), was);
});

test('offloads at the far end of a veth that hide frames from XDP are a warning with the line to run', async () => {
  run('ethtool -K sub0 tx on txvlan on; ethtool -K net0 tx on txvlan on');
  const { links, revert } = setup(OPTIONS);
  await links.apply();
  assert.equal(links.warnings.length, 2);
  assert.match(links.warnings[0] ?? '', /net0, the other end of core0: .*; run ethtool -K net0 tx off$/);
  assert.match(
    links.warnings[1] ?? '',
    /sub0, the other end of access0: .*; run ethtool -K sub0 tx off txvlan off$/,
  );
  for (const warning of links.warnings) run(warning.slice(warning.indexOf('ethtool -K')));
  await revert();
  const { links: again, revert: revertAgain } = setup(OPTIONS);
  await again.apply();
  assert.deepEqual(again.warnings, []);
  await revertAgain();
});

test('a reverse path filter of all interfaces is left to all but several access ports', async () => {
  makeVeth('access1', 'sub1');
  run(
    'sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.core0.rp_filter=0 net.ipv4.conf.net0.rp_filter=2',
  );
  const settings = (): string =>
    run(
      'cd /proc/sys/net/ipv4/conf; for name in all default access0 access1 core0 net0; do cat $name/rp_filter; done',
    );
  const was = settings();
  const { links, revert } = setup({ ...OPTIONS, accessInterfaces: ['access0', 'access1'] });
  await links.apply();
  assert.deepEqual(settings().trim().split('\n'), ['0', '0', '0', '0', '1', '2']);
  assert.match(run('ip route show 10.0.0.0/16'), /dev access0 .*\n.*dev access1 .*metric 1/);
  await revert();
  assert.equal(settings(), was);
  run('sysctl -qw net.ipv4.conf.all.rp_filter=0; ip link del access1');
});

test('what is as it should be already is left alone, also when everything is taken back', async () => {
  const { links: first, revert: revertFirst } = setup(OPTIONS);
  await first.apply();
  const prepared = everything();
  const { links: second, revert: revertSecond } = setup(OPTIONS);
  await second.apply();
  await revertSecond();
  assert.equal(everything(), prepared);
  await revertFirst();
});

test('a route or an address that somebody takes away is missed, and is set again', async () => {
  const { links, revert } = setup(OPTIONS);
  await links.apply();
  assert.equal(await links.poolsAreSet(), true);
  for (const [taken, list] of [
    ['ip route del 10.0.0.0/16', 'ip route'],
    ['ip addr del 10.0.0.2/32 dev lo', 'ip -4 addr show lo | grep inet | sort'],
    ['ip route replace 10.0.0.0/16 dev access0 src 10.0.0.1 mtu 900', 'ip route'],
  ] as const) {
    const was = run(list);
    run(taken);
    assert.equal(await links.poolsAreSet(), false, taken);
    await links.applyPools();
    assert.equal(run(list), was);
    assert.equal(await links.poolsAreSet(), true);
  }
  run('ip link set access0 down');
  assert.equal(await links.poolsAreSet(), true, 'a port that is shut has no routes');
  run('ip link set access0 up');
  assert.equal(await links.poolsAreSet(), false);
  await revert();
});

test('routes of an earlier configuration become those of this one, without a moment without any', async () => {
  makeVeth('access1', 'sub1');
  const both = { ...OPTIONS, accessInterfaces: ['access0', 'access1'] };
  const journal = new UndoJournal(null);
  const use = (options: typeof OPTIONS) => new LinkSetup({ ...options, journal }).apply();
  const was = run('ip route');
  await use(both);
  await use({
    ...both,
    accessInterfaces: ['access1', 'access0'],
    subscriberMtu: 1400,
    pools: [{ network: parsePrefix('10.0.0.0/16'), gateway: parseIpv4('10.0.0.2') }],
  });
  assert.deepEqual(run('ip route show 10.0.0.0/16').trim().split(/ *\n/), [
    '10.0.0.0/16 dev access1 scope link src 10.0.0.2 linkdown mtu 1400',
    '10.0.0.0/16 dev access0 scope link src 10.0.0.2 metric 1 mtu 1400',
  ]);
  assert.deepEqual(await journal.revert(5000), []);
  assert.equal(run('ip route'), was);
  run('ip link del access1');
});

test('an MTU without room for two tags is a warning with its remedy', async () => {
  run('ip link set access0 mtu 1500');
  const { links, revert } = setup(OPTIONS);
  await links.apply();
  assert.deepEqual(links.warnings.length, 1);
  assert.match(links.warnings[0] ?? '', /ip link set access0 mtu 1508/);
  await revert();
});

describe('with access.tune', () => {
  const cards = (): string =>
    run('for name in access0 core0; do ip link show $name; ethtool -l $name; ethtool -k $name; done');
  const tuned = { ...OPTIONS, tune: true };
  // A veth is made with room for as many queues as there are CPUs, and uses one.
  const queues = `RX:\t\t${availableParallelism()}`;

  test('the MTU and the queues are set, each change is told, and taken back', async () => {
    run('ip link set access0 mtu 1500');
    const was = cards();
    const changes: (readonly [string, string])[] = [];
    const journal = new UndoJournal(null);
    const links = new LinkSetup({ ...tuned, journal, onChange: (...change) => changes.push(change) });
    await links.apply();
    assert.deepEqual(links.warnings, []);
    assert.equal((await readLink('access0', 5000)).mtu, 1508);
    assert.ok(run('ethtool -l access0').includes(queues) && run('ethtool -l core0').includes(queues));
    assert.ok(
      changes.some(
        ([change, undo]) =>
          change === 'ip link set access0 mtu 1508' && undo === 'ip link set access0 mtu 1500',
      ),
    );
    const told = changes.map(([change]) => change);
    assert.ok(told.includes(`ethtool -L core0 rx ${availableParallelism()}`), told.join('\n'));
    assert.ok(told.includes('ethtool -K access0 rxvlan off'));
    assert.deepEqual(await journal.revert(OPTIONS.deadlineMs), []);
    assert.equal(cards(), was);
  });

  test('a process that crashed is taken over from, and what was before is taken back when it is switched off', async () => {
    run('ip link set access0 mtu 1500');
    const was = cards();
    const folder = '/sys/fs/bpf/ker-links-undo';
    const live = async (options: typeof OPTIONS): Promise<readonly string[]> => {
      const journal = new UndoJournal(folder);
      const changes: string[] = [];
      await new LinkSetup({ ...options, journal, onChange: (change) => changes.push(change) }).apply();
      assert.deepEqual(await journal.settle(OPTIONS.deadlineMs), []);
      return changes;
    };
    await live(tuned);
    const set = cards();
    assert.deepEqual(await live(tuned), []);
    assert.equal(cards(), set);
    await live(OPTIONS);
    assert.equal((await readLink('access0', 5000)).mtu, 1500);
    assert.match(run('ethtool -l access0; ethtool -l core0'), /(RX:\t\t1\n[^]*){2}/);
    assert.deepEqual(await new UndoJournal(folder).revert(OPTIONS.deadlineMs), []);
    assert.equal(cards(), was);
  });

  test('what the driver refuses is a warning, and nothing to take back', async () => {
    run('ip link set access0 mtu 1500');
    const was = cards();
    const journal = new UndoJournal(null);
    // Beyond what an Ethernet device of this kernel takes.
    const links = new LinkSetup({ ...tuned, subscriberMtu: 65_530, journal });
    await links.apply();
    assert.match(links.warnings.join('\n'), /access0 has MTU 1500: .* refuses ip link set access0 mtu 65538/);
    await journal.revert(OPTIONS.deadlineMs);
    assert.equal(cards(), was);
  });
});

test('an interface that does not exist is named, and what was changed before is taken back', async () => {
  const was = everything();
  const { links, revert } = setup({ ...OPTIONS, coreInterfaces: ['nowhere0'] });
  await assert.rejects(
    links.apply(),
    (error) => isBngError(error, 'BNG_ERR_DATAPLANE') && /nowhere0/.test(error.message),
  );
  await revert();
  assert.equal(everything(), was);
});
