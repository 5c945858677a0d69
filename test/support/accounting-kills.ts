/** kill -9 at random points of a process that accounts: what a server has seen in the end. Real store, real client, bytes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'node:test';
import type { ArrivedRecord } from './accounting-world.js';
import { arrived, temporaryFolder } from './accounting-world.js';
import { RadiusPeer } from './radius-peer.js';
import { seededRandom } from './seeded-random.js';

const CHILD = fileURLToPath(new URL('./accounting-child.js', import.meta.url));

interface Heard {
  readonly starts: Set<string>;
  readonly stops: Set<string>;
}

/** Runs the child; kills it as soon as it has said `words` things, unless that is null. Collects what it called durable. */
async function runChild(args: readonly string[], words: number | null, heard: Heard): Promise<string> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let last = '';
  let said = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    said += 1;
    if (said === words) child.kill('SIGKILL');
    const [what, id = ''] = line.split(' ');
    assert.notEqual(what, 'damage', `a kill must not damage the store: ${line}`);
    if (what === 'start') heard.starts.add(id);
    if (what === 'stop') heard.stops.add(id);
  }
  const [code, signal] = (await ended) as [number | null, string | null];
  if (words === null) assert.equal(code, 0, `expected the child to end by itself, found ${code} ${signal}`);
  else assert.equal(signal, 'SIGKILL', `expected the child to be killed, found exit ${code}`);
  return last;
}

export interface Kills {
  readonly kills: number;
  readonly seed: number;
  /** Whether the server answers its n-th request: what it does not answer it has all the same. */
  readonly answers: (n: number, random: () => number) => boolean;
}

export async function killsLoseNothing(t: TestContext, { kills, seed, answers }: Kills): Promise<void> {
  const random = seededRandom(seed);
  const records: ArrivedRecord[] = [];
  const server = await RadiusPeer.start({
    secret: 's',
    script: (request, peer) => {
      records.push(arrived(request));
      if (answers(records.length, random)) peer.answer(request, { code: 5, messageAuthenticator: false });
    },
  });
  t.after(() => server.close());
  const folder = temporaryFolder(t);
  const heard: Heard = { starts: new Set(), stops: new Set() };
  for (let kill = 0; kill < kills; kill += 1) {
    await runChild([folder, String(server.port), String(kill)], 1 + Math.floor(random() * 300), heard);
  }
  const last = await runChild([folder, String(server.port), 'drain'], null, heard);
  assert.equal(last, 'drained 0');

  const bySession = bySessionId(records);
  for (const id of heard.starts) {
    assert.ok(
      bySession.get(id)?.some(({ status }) => status === 'Start'),
      `Start of ${id} was lost`,
    );
  }
  for (const id of heard.stops) {
    const stop = bySession.get(id)?.find(({ status }) => status === 'Stop');
    assert.equal(stop?.cause, 1, `Stop of ${id} was lost`);
  }
  assert.ok(heard.stops.size > 3 * kills && heard.starts.size > heard.stops.size, 'too little happened');
  let rebooted = 0;
  let repeated = 0;
  for (const [id, all] of bySession) {
    const distinct = [...new Map(all.map((record) => [record.same, record])).values()];
    repeated += all.length - distinct.length;
    const statuses = distinct.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 'Start').length, 1, `${id}: ${statuses.join()}`);
    assert.equal(statuses.filter((status) => status === 'Stop').length, 1, `${id}: ${statuses.join()}`);
    assert.equal(statuses[0], 'Start', `${id}: ${statuses.join()}`);
    assert.equal(statuses.at(-1), 'Stop', `${id}: ${statuses.join()}`);
    const octets = distinct.map(({ inputOctets }) => inputOctets);
    assert.deepEqual(
      octets,
      octets.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
      `${id} runs backwards`,
    );
    if (distinct.at(-1)?.cause === 11) rebooted += 1;
  }
  // The test would prove nothing if no kill had hit an open session or an answered record.
  assert.ok(rebooted > kills, `${rebooted} sessions were ended by a kill`);
  assert.ok(repeated > 0, 'nothing was ever sent twice');
  t.diagnostic(
    `${bySession.size} sessions, ${records.length} requests, ${repeated} repeated, ${rebooted} NAS-Reboot`,
  );
}

function bySessionId(records: readonly ArrivedRecord[]): ReadonlyMap<string, readonly ArrivedRecord[]> {
  const found = new Map<string, ArrivedRecord[]>();
  for (const record of records) {
    const of = found.get(record.sessionId) ?? [];
    found.set(record.sessionId, of);
    of.push(record);
  }
  return found;
}
