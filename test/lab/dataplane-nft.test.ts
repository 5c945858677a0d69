/** The nft child and the firewall on it, against the real nft in a namespace of its own. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ConntrackFlush } from '../../src/dataplane/conntrack-flush.js';
import { GardenFirewall } from '../../src/dataplane/garden-firewall.js';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { GARDEN_LIMITS } from '../../src/dataplane/kernel-load.js';
import { NftChild } from '../../src/dataplane/nft-child.js';
import { systemClock } from '../../src/model/system-clock.js';
import { formatIpv4, ipv4FromNumber, parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import { patience } from '../../src/lab/patience.js';
import { enterNamespaces, run, until } from './dataplane-world.js';

enterNamespaces(import.meta.url, ['ker-nft']);

const restarts: string[] = [];
const nft = new NftChild({
  clock: systemClock,
  deadlineMs: 5000 * patience,
  onRestart: (reason) => restarts.push(reason),
});
const SET = 'inet ker-test members';
const address = (i: number): string => formatIpv4(ipv4FromNumber(0x0a000000 + i));
const count = (set = 'ker-test members'): number =>
  run(`nft -j list set inet ${set}`).match(/"\d+\.\d+\.\d+\.\d+"/g)?.length ?? 0;

after(() => nft.close());

test('a transaction is acknowledged when the kernel has it', async () => {
  const outcome = await nft.change(`add table inet ker-test; add set ${SET} { type ipv4_addr; }`);
  assert.deepEqual(outcome, { ok: true });
  assert.equal(count(), 0);
});

test('10,000 changes asked for at once are few transactions and all there', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 10_000 }, (_, i) => nft.change(`add element ${SET} { ${address(i)} }`)),
  );
  assert.ok(outcomes.every((outcome) => outcome.ok));
  assert.equal(count(), 10_000);
});

test('of a batch that fails only the failing changes are refused, with the reason of nft', async () => {
  const changes = Array.from({ length: 100 }, (_, i) =>
    i === 37 || i === 90
      ? nft.change(`delete element ${SET} { 192.0.2.${i} }`)
      : nft.change(`delete element ${SET} { ${address(i)} }`),
  );
  const outcomes = await Promise.all(changes);
  const failed = outcomes.flatMap((outcome, i) => (outcome.ok ? [] : [{ i, reason: outcome.reason }]));
  assert.deepEqual(
    failed.map(({ i }) => i),
    [37, 90],
  );
  assert.match(failed[0]?.reason ?? '', /No such file or directory/);
  assert.equal(count(), 10_000 - 98);
  assert.deepEqual(restarts, []);
});

test('a syntax error and a line break are refused, and the next transaction works', async () => {
  assert.equal((await nft.change('frobnicate the table')).ok, false);
  assert.equal((await nft.change('add table inet a\nadd table inet b')).ok, false);
  assert.deepEqual(await nft.change(`add element ${SET} { 192.0.2.1 }`), { ok: true });
});

test('a killed child is told once, and the next change starts another', async () => {
  const before = nft.pid;
  assert.ok(before !== null);
  process.kill(before, 'SIGKILL');
  await until('restart told', () => restarts.length === 1);
  assert.deepEqual(await nft.change(`add element ${SET} { 192.0.2.2 }`), { ok: true });
  assert.ok(nft.pid !== null && nft.pid !== before);
  assert.equal(restarts.length, 1);
});

test('a child that does not answer is killed at the deadline, and the change refused', async () => {
  const silent = new NftChild({
    clock: systemClock,
    deadlineMs: 50,
    onRestart: () => assert.fail('it never worked'),
    command: ['sleep', '60'],
  });
  const outcome = await silent.change('add table inet x');
  assert.match(outcome.ok ? '' : outcome.reason, /no answer from nft within 300 ms/);
  await silent.close();
});

test('a missing nft refuses changes without an endless chain of restarts', async () => {
  const missing = new NftChild({
    clock: systemClock,
    deadlineMs: 1000 * patience,
    onRestart: () => assert.fail('it never worked'),
    command: ['/nonexistent/nft', '-i'],
  });
  assert.equal((await missing.change('add table inet x')).ok, false);
  assert.equal((await missing.change('add table inet x')).ok, false);
  await missing.close();
});

test('after close every change is refused', async () => {
  const closed = new NftChild({
    clock: systemClock,
    deadlineMs: 1000 * patience,
    onRestart: () => undefined,
  });
  assert.equal((await closed.change('list tables')).ok, true);
  await closed.close();
  await closed.close();
  assert.deepEqual(await closed.change('list tables'), { ok: false, reason: 'closed' });
});

test('the firewall rebuilds table and members when its child dies, and removes its table on close', async () => {
  const warnings: string[] = [];
  const firewall = new GardenFirewall({
    clock: systemClock,
    table: 'ker-garden',
    accessInterfaces: ['access0'],
    policy: compileGardenPolicy(
      {
        allow: [
          { prefix: parsePrefix('203.0.113.0/24'), port: 443 },
          { prefix: parsePrefix('203.0.113.0/25'), port: 443 },
          { prefix: parsePrefix('203.0.113.128/25'), port: null },
        ],
        resolvers: [parseIpv4('198.51.100.53')],
        portal: { address: parseIpv4('10.255.0.1'), port: 80 },
        gateways: [parseIpv4('10.255.0.1')],
      },
      GARDEN_LIMITS,
    ),
    localForwarding: false,
    deadlineMs: 5000 * patience,
    onWarning: (warning) => warnings.push(warning),
  });
  assert.deepEqual(await firewall.build(), { ok: true });
  const members = Array.from({ length: 50 }, (_, i) => ipv4FromNumber(0x0aff0002 + i));
  await Promise.all(members.map((member) => firewall.addMember(member)));
  for (const gone of members.splice(0, 5)) assert.deepEqual(await firewall.removeMember(gone), { ok: true });
  assert.deepEqual([...(await firewall.dumpMembers())].sort(), [...members].sort());

  assert.equal(await firewall.drops(), 0n);
  // Packets of our own, counted as the rules' drops are.
  run('nft insert rule inet ker-garden input iifname lo counter name garden_drops');
  run('ping -q -c 3 -i 0.01 127.0.0.1 && conntrack -F 2>&1');
  assert.equal(await firewall.drops(), 6n);
  assert.deepEqual(await firewall.build(), { ok: true }, 'as the next process does');
  assert.equal(await firewall.drops(), 6n, 'counted on over a restart');

  run('nft delete table inet ker-garden');
  assert.equal(await firewall.drops(), null);
  assert.equal(await firewall.members(), null);
  const { childPid } = firewall;
  assert.ok(childPid !== null);
  process.kill(childPid, 'SIGKILL');
  await until('rebuilt', () => run('nft list tables').includes('ker-garden'));
  assert.deepEqual([...(await firewall.dumpMembers())].sort(), [...members].sort());
  assert.equal(warnings.length, 1);

  assert.deepEqual(await firewall.close('remove'), { ok: true });
  assert.ok(!run('nft list tables').includes('ker-garden'));
});

test('the flows of a subscriber are forgotten in both directions, those of others stay', async () => {
  const flow = (source: string, destination: string): string =>
    `conntrack -I -s ${source} -d ${destination} -p udp --sport 1000 --dport 2000 -t 100`;
  run(
    `${flow('10.0.0.2', '192.0.2.1')} 2>&1; ${flow('192.0.2.1', '10.0.0.2')} 2>&1; ${flow('10.0.0.3', '192.0.2.1')} 2>&1`,
  );
  const failures: string[] = [];
  const flush = new ConntrackFlush({
    deadlineMs: 5000 * patience,
    onFailure: (reason) => failures.push(reason),
  });
  await flush.flush(parseIpv4('10.0.0.2'));
  assert.match(run('conntrack -L 2>/dev/null'), /^udp .*src=10\.0\.0\.3.*\n$/);
  // More than a handful: the table is read first, and those without flows cost nothing.
  await Promise.all(Array.from({ length: 100 }, (_, i) => flush.flush(ipv4FromNumber(0x0a000000 + i))));
  assert.equal(run('conntrack -L 2>/dev/null'), '');
  assert.deepEqual(failures, []);
});
