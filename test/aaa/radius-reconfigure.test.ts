/** A RADIUS client whose servers change while requests are in flight: none is lost, and nobody asks who is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RadiusServer } from '../../src/aaa/radius-settings.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import type { PeerRequest, RadiusPeer } from '../support/radius-peer.js';
import { ACCEPT, access, rig, SECRET, SILENT, until } from './radius-client-rig.js';

function server(peer: RadiusPeer | undefined, name: string, secret = SECRET): RadiusServer {
  const { port } = peer!;
  return {
    name,
    host: '127.0.0.1',
    port,
    secret: new RadiusSecret(secret),
    requireMessageAuthenticator: true,
  };
}

test('a request in flight is answered by the server that was asked, though it is no longer configured', async (t) => {
  const held: PeerRequest[] = [];
  const { client, peers } = await rig(t, [(request) => void held.push(request), ACCEPT]);
  const result = client.exchange(access());
  await until(() => held.length === 1, 'the request');
  client.reconfigure({ servers: [server(peers[1], 's1')] });
  assert.deepEqual(
    client.statistics().servers.map(({ name }) => name),
    ['s1'],
  );
  peers[0]!.answer(held[0]!, { code: 3 });
  const answered = await result;
  assert.deepEqual(answered.kind === 'response' && [answered.server, answered.outcome], [
    's0',
    'access-reject',
  ]);
  const next = await client.exchange(access());
  assert.equal(next.kind === 'response' && next.server, 's1');
  assert.equal(held.length, 1);
});

test('a request that a server which is gone leaves unanswered goes to a new one at its next transmission', async (t) => {
  const { client, peers, clock, notices } = await rig(t, [SILENT, ACCEPT]);
  client.reconfigure({ servers: [server(peers[0], 's0')] });
  const result = client.exchange(access());
  await until(() => peers[0]!.requests.length === 1, 'the request');
  client.reconfigure({ servers: [server(peers[1], 's1')] });
  clock.advance(clock.nextMs!);
  const answered = await result;
  assert.equal(answered.kind === 'response' && answered.server, 's1');
  assert.equal(peers[0]!.requests.length, 1);
  // Nothing is said of the health of a server that nobody uses.
  assert.deepEqual(
    notices.filter(({ server }) => server === 's1'),
    [],
  );
});

test('another secret of the same server holds for what is asked from then on', async (t) => {
  const held: PeerRequest[] = [];
  const { client, peers } = await rig(t, [(request) => void held.push(request)]);
  const first = client.exchange(access());
  await until(() => held.length === 1, 'the first request');
  client.reconfigure({ servers: [server(peers[0], 's0', 'another secret')] });
  const second = client.exchange(access());
  await until(() => held.length === 2, 'the second request');
  for (const request of held) peers[0]!.answer(request, { code: 2 });
  assert.equal((await first).kind, 'response');
  // The peer knows the first secret only: what it says to the second request is not believed.
  const ignored = (): number[] => Object.values(client.statistics().servers[0]!.ignored);
  await until(() => ignored().some((count) => count > 0), 'an ignored answer');
  client.close();
  assert.deepEqual(await second, { kind: 'closed' });
});

test('a server that is as it was keeps its counters and its sockets', async (t) => {
  const { client, peers } = await rig(t, [ACCEPT, ACCEPT]);
  await client.exchange(access());
  client.reconfigure({ servers: [server(peers[1], 's1'), server(peers[0], 's0')] });
  const [s1, s0] = client.statistics().servers;
  assert.deepEqual([s1?.name, s0?.name, s0?.requests, s0?.sockets], ['s1', 's0', 1, 1]);
  const next = await client.exchange(access());
  assert.equal(next.kind === 'response' && next.server, 's1');
});
