/** Several servers: which is asked, when one is dead, and how it comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RadiusExchangeResult } from '../../src/aaa/radius-exchange.js';
import { ACCEPT, access, rig, SILENT, until } from './radius-client-rig.js';

function serverOf(result: RadiusExchangeResult): string {
  return result.kind === 'response' ? result.server : result.kind;
}

test('the first server in order is asked while it answers', async (t) => {
  const { client, peers } = await rig(t, [ACCEPT, ACCEPT]);
  for (let i = 0; i < 5; i++) assert.equal(serverOf(await client.exchange(access())), 's0');
  assert.equal(peers[1]!.requests.length, 0);
});

test('the next server is asked after two transmissions, and from then on at once', async (t) => {
  const { client, clock, peers, notices } = await rig(t, [SILENT, ACCEPT]);
  const first = client.exchange(access());
  await until(() => peers[0]!.requests.length === 1, 'the request');
  clock.advance(2_000);
  await until(() => peers[0]!.requests.length === 2, 'the retransmission');
  assert.equal(peers[1]!.requests.length, 0);
  clock.advance(4_000);
  assert.equal(serverOf(await first), 's1');
  assert.deepEqual(notices, [{ kind: 'dead', server: 's0' }]);
  assert.equal(serverOf(await client.exchange(access())), 's1');
  assert.equal(peers[0]!.requests.length, 2);
  const states = client.statistics().servers.map(({ state }) => state);
  assert.deepEqual(states, ['dead', 'alive']);
});

test('a request to another server has an authenticator of its own', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT, ACCEPT], { timers: { failoverAfter: 1 } });
  const result = client.exchange(access());
  await until(() => peers[0]!.requests.length === 1, 'the request');
  clock.advance(2_000);
  assert.equal(serverOf(await result), 's1');
  assert.notDeepEqual(peers[0]!.requests[0]!.authenticator, peers[1]!.requests[0]!.authenticator);
});

test('a late answer of the first server still counts after the second was asked, and shows that it lives', async (t) => {
  const { client, clock, peers, notices } = await rig(t, [SILENT, SILENT], { timers: { failoverAfter: 1 } });
  const result = client.exchange(access());
  await until(() => peers[0]!.requests.length === 1, 'the request');
  clock.advance(2_000);
  await until(() => peers[1]!.requests.length === 1, 'the request to the second');
  peers[0]!.answer(peers[0]!.requests[0]!, { code: 2 });
  assert.equal(serverOf(await result), 's0');
  assert.deepEqual(
    notices.map(({ kind }) => kind),
    ['dead', 'alive'],
  );
});

test('one dropped request does not make a server dead that answers others', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT, ACCEPT], { timers: { failoverAfter: 1 } });
  const dropped = client.exchange(access('dropped'));
  await until(() => peers[0]!.requests.length === 1, 'the request');
  peers[0]!.script = ACCEPT;
  assert.equal(serverOf(await client.exchange(access())), 's0');
  clock.advance(2_000);
  assert.equal(serverOf(await dropped), 's1');
  assert.equal(client.statistics().servers[0]?.state, 'alive');
  assert.equal(serverOf(await client.exchange(access())), 's0');
});

test('after its dead time one exchange at a time tries the first server, and an answer brings it back', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT, ACCEPT], { timers: { failoverAfter: 1 } });
  const [first] = peers;
  const found = client.exchange(access());
  await until(() => first!.requests.length === 1, 'the request');
  clock.advance(2_000);
  await found;
  clock.advance(30_000);
  const probe = client.exchange(access('probe'));
  assert.equal(client.statistics().servers[0]?.state, 'probing');
  assert.equal(serverOf(await client.exchange(access('others'))), 's1');
  await until(() => first!.requests.length === 2, 'the probe');
  clock.advance(2_000);
  assert.equal(serverOf(await probe), 's1');
  assert.equal(client.statistics().servers[0]?.state, 'dead');
  first!.script = ACCEPT;
  assert.equal(serverOf(await client.exchange(access())), 's1', 'its dead time began anew');
  clock.advance(30_000);
  assert.equal(serverOf(await client.exchange(access('probe'))), 's0');
  assert.equal(client.statistics().servers[0]?.state, 'alive');
});

test('a server that others found dead is left at the next transmission', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT, ACCEPT]);
  const early = client.exchange(access('early'));
  await until(() => peers[0]!.requests.length === 1, 'the early request');
  clock.advance(1_900);
  const late = client.exchange(access('late'));
  await until(() => peers[0]!.requests.length === 2, 'the late request');
  clock.advance(100);
  await until(() => peers[0]!.requests.length === 3, 'the first retransmission');
  clock.advance(1_950);
  await until(() => peers[0]!.requests.length === 4, 'both retransmissions');
  clock.advance(2_050);
  assert.equal(serverOf(await early), 's1');
  clock.advance(2_000);
  assert.equal(serverOf(await late), 's1');
});

test('when every server is dead they are still asked, and the one that answers is alive', async (t) => {
  const timers = { failoverAfter: 1, maxTransmissions: 1 };
  const { client, clock, peers } = await rig(t, [SILENT, SILENT], { timers });
  const none = client.exchange(access());
  for (const peer of peers) {
    await until(() => peer.requests.length === 1, 'the request');
    clock.advance(2_000);
  }
  assert.deepEqual(await none, { kind: 'timeout', transmissions: 2 });
  assert.deepEqual(
    client.statistics().servers.map(({ state }) => state),
    ['dead', 'dead'],
  );
  peers[1]!.script = ACCEPT;
  const again = client.exchange(access());
  await until(() => peers[0]!.requests.length === 2, 'the request to the first');
  clock.advance(2_000);
  assert.equal(serverOf(await again), 's1');
  assert.equal(client.statistics().servers[1]?.state, 'alive');
});

test('a single dead server is asked with every request', async (t) => {
  const { client, clock, peers } = await rig(t, [SILENT], { timers: { maxTransmissions: 1 } });
  const lost = client.exchange(access());
  await until(() => peers[0]!.requests.length === 1, 'the request');
  clock.advance(2_000);
  assert.equal((await lost).kind, 'timeout');
  peers[0]!.script = ACCEPT;
  assert.equal(serverOf(await client.exchange(access())), 's0');
});
