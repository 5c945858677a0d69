// kill -9 at random points of a process that accounts: what a server has seen in the end. Real store, real client, bytes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import type { ArrivedRecord } from '../support/accounting-world.js';
import { arrived, temporaryFolder } from '../support/accounting-world.js';
import { RadiusPeer } from '../support/radius-peer.js';
import { seededRandom } from '../support/seeded-random.js';

const KILLS = 100;
const CHILD = fileURLToPath(new URL('../support/accounting-child.js', import.meta.url));

interface Heard {
  readonly starts: Set<string>;
  readonly stops: Set<string>;
}

/** Runs the child; kills it `afterMs` after its first word, unless that is null. Collects what it called durable. */
async function runChild(args: readonly string[], afterMs: number | null, heard: Heard): Promise<string> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (last === '' && afterMs !== null) setTimeout(() => child.kill('SIGKILL'), afterMs);
    last = line;
    const [what, id = ''] = line.split(' ');
    assert.notEqual(what, 'damage', `a kill must not damage the store: ${line}`);
    if (what === 'start') heard.starts.add(id);
    if (what === 'stop') heard.stops.add(id);
  }
  const [code, signal] = (await ended) as [number | null, string | null];
  if (afterMs === null) assert.equal(code, 0, `expected the child to end by itself, found ${code} ${signal}`);
  else assert.equal(signal, 'SIGKILL', `expected the child to be killed, found exit ${code}`);
  return last;
}

describe('accounting across kill -9', () => {
  it(`loses no start and no stop over ${KILLS} kills, keeps order, and repeats only what is identical`, async (t) => {
    const random = seededRandom(11);
    const records: ArrivedRecord[] = [];
    const server = await RadiusPeer.start({
      secret: 's',
      script: (request, peer) => {
        records.push(arrived(request));
        // Some answers get lost: the record is there, and is sent again.
        if (random() < 0.95) peer.answer(request, { code: 5, messageAuthenticator: false });
      },
    });
    t.after(() => server.close());
    const folder = temporaryFolder(t);
    const heard: Heard = { starts: new Set(), stops: new Set() };
    for (let kill = 0; kill < KILLS; kill += 1) {
      await runChild([folder, String(server.port), String(kill)], random() * 150, heard);
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
    assert.ok(heard.stops.size > 500 && heard.starts.size > heard.stops.size, 'too little happened');
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
    assert.ok(rebooted > 100, `${rebooted} sessions were ended by a kill`);
    assert.ok(repeated > 0, 'nothing was ever sent twice');
    t.diagnostic(
      `${bySession.size} sessions, ${records.length} requests, ${repeated} repeated, ${rebooted} NAS-Reboot`,
    );
  });
});

function bySessionId(records: readonly ArrivedRecord[]): ReadonlyMap<string, readonly ArrivedRecord[]> {
  const found = new Map<string, ArrivedRecord[]>();
  for (const record of records) {
    const of = found.get(record.sessionId) ?? [];
    found.set(record.sessionId, of);
    of.push(record);
  }
  return found;
}
