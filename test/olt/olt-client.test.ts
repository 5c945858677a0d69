/** The BNG's side of the OLT port, against an access node that is made of scripted lines. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { systemClock } from '../../src/model/system-clock.js';
import { parseMac } from '../../src/model/mac.js';
import { OltClient } from '../../src/olt/olt-client.js';
import type { OntSighting } from '../../src/session/inlet.js';

const PROFILE = {
  serviceId: 'svc',
  poolName: 'isp-residential',
  walled: false,
  downloadBitsPerSecond: 100_000_000,
  uploadBitsPerSecond: 50_000_000,
};

interface Heard {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

function ont(ontSerial: string): Record<string, unknown> {
  return {
    ontSerial,
    port: '1/1/1',
    aggregatorId: 'agg-01',
    interface: 'ont1',
    tagging: 'qinq',
    sVlan: 4000,
    cVlan: 1,
    state: 'provisioned',
    qosDownloadBps: 0,
    qosUploadBps: 0,
    circuitId: `agg-01|${ontSerial}`,
  };
}

/** Answers each request with what `answer` gives, as lines; undefined is silence. */
class ScriptedNode {
  readonly heard: Heard[] = [];
  readonly sockets = new Set<Socket>();
  present: string[] = [];
  answer: (request: Heard) => unknown = (request) => ({ id: request.id, result: {} });
  #server: Server | null = null;

  async listen(path: string): Promise<void> {
    const server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => socket.destroy());
      createInterface({ input: socket }).on('line', (line) => {
        const request = JSON.parse(line) as Heard;
        this.heard.push(request);
        const answer =
          request.method === 'onts'
            ? { id: request.id, result: this.present.map(ont) }
            : this.answer(request);
        if (answer !== undefined) this.say(answer);
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(path, resolve));
  }

  say(line: unknown): void {
    for (const socket of this.sockets)
      socket.write(typeof line === 'string' ? line : `${JSON.stringify(line)}\n`);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(null));
    this.#server = null;
  }
}

const QUIET = { bounce: false };

describe('the BNG at the access node', { timeout: 20_000 }, () => {
  let directory: string;
  let path: string;
  let node: ScriptedNode;
  let client: OltClient;
  let told: string[];
  let sightings: OntSighting[];
  let listeners: (() => void)[];

  function tell(what: string): void {
    told.push(what);
    for (const listener of listeners) listener();
  }

  async function waitForTold(expected: string): Promise<void> {
    if (told.includes(expected)) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not told: ${expected}; told ${told.join(', ')}`)),
        8_000,
      );
      listeners.push(() => {
        if (told.includes(expected)) {
          clearTimeout(timer);
          resolve();
        }
      });
    });
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bng-olt-'));
    path = join(directory, 'olt.sock');
    node = new ScriptedNode();
    told = [];
    sightings = [];
    listeners = [];
    client = new OltClient({
      path,
      clock: systemClock,
      inlet: {
        ontDetected: (found) => {
          sightings.push(found);
          tell(`detected ${found.ontSerial} ${Buffer.from(found.circuitId).toString()}`);
        },
        ontMoved: ({ ontSerial, tags }) => tell(`moved ${ontSerial} ${tags?.sVlan}.${tags?.cVlan}`),
        ontDisconnected: (ontSerial) => tell(`gone ${ontSerial}`),
      },
      sVlanOfPool: new Map([['isp-residential', 200]]),
      requestTimeoutMs: 300,
      onEvent: (event) => tell(`event ${event.type}`),
      onConnection: (state, reason) => tell(reason === undefined ? state : `${state}: ${reason}`),
    });
  });
  afterEach(async () => {
    client.close();
    await node.close();
    rmSync(directory, { recursive: true });
  });

  it('on connect it learns the ONTs that were there before', async () => {
    node.present = ['A', 'B'];
    await node.listen(path);
    client.open();
    await waitForTold('up');
    assert.deepEqual(told, ['detected A agg-01|A', 'detected B agg-01|B', 'up']);
  });

  it('learns a thousand ONTs, whose list is a line of 300 KB', async () => {
    node.present = Array.from({ length: 1_000 }, (_, n) => `SOAK${n}`);
    await node.listen(path);
    client.open();
    await waitForTold('up');
    assert.equal(sightings.length, 1_000);
  });

  it('events become sightings', async () => {
    await node.listen(path);
    client.open();
    await waitForTold('up');
    node.say({ event: { type: 'NewONTDetected', ...ont('C') } });
    node.say({ event: { type: 'ONTDisconnected', ...ont('C') } });
    await waitForTold('event ONTDisconnected');
    assert.deepEqual(told.slice(1), [
      'detected C agg-01|C',
      'event NewONTDetected',
      'gone C',
      'event ONTDisconnected',
    ]);
  });

  it('a sighting holds what the access node told of the line, and nothing that it did not', async () => {
    await node.listen(path);
    client.open();
    await waitForTold('up');
    const circuitId = new TextEncoder().encode('agg-01|C');
    const remoteId = new TextEncoder().encode('remote');
    for (const [more, expected] of [
      [{}, { tags: { sVlan: 4000, cVlan: 1 } }],
      [
        { tagging: 'single', remoteId: 'remote' },
        { tags: { sVlan: 4000, cVlan: 0 }, remoteId },
      ],
      [{ tagging: 'untagged' }, { tags: { sVlan: 0, cVlan: 0 } }],
      [{ sVlan: 0, cVlan: 0, state: 'detected' }, {}],
      [{ tagging: 'single', sVlan: 0, mac: '02:00:00:aa:bb:0c' }, { mac: parseMac('02:00:00:aa:bb:0c') }],
    ] as const) {
      node.say({ event: { type: 'NewONTDetected', ...ont('C'), ...more } });
      await waitForTold('event NewONTDetected');
      assert.deepEqual(sightings.pop(), { ontSerial: 'C', circuitId, wasThere: false, ...expected });
      told = [];
    }
  });

  it("reconfigure asks for the S-VLAN of the profile's pool and its rates", async () => {
    await node.listen(path);
    client.open();
    await waitForTold('up');
    assert.deepEqual(await client.reconfigure('A', PROFILE, QUIET), { ok: true });
    assert.deepEqual(node.heard.at(-1)?.params, {
      ontSerial: 'A',
      sVlan: 200,
      qosDownloadBps: 100_000_000,
      qosUploadBps: 50_000_000,
    });
  });

  it('a bounce is asked for only when it is wanted', async () => {
    await node.listen(path);
    client.open();
    await waitForTold('up');
    assert.deepEqual(await client.reconfigure('A', PROFILE, { bounce: true }), { ok: true });
    assert.equal((node.heard.at(-1)?.params as { bounce?: boolean }).bounce, true);
  });

  it('a refusal, an unknown pool and no answer are values', async () => {
    await node.listen(path);
    client.open();
    await waitForTold('up');
    node.answer = ({ id }) => ({ id, error: { message: 'expected a known ONT' } });
    assert.deepEqual(await client.reconfigure('X', PROFILE, QUIET), {
      ok: false,
      reason: 'expected a known ONT',
    });
    assert.deepEqual(await client.reconfigure('A', { ...PROFILE, poolName: 'nowhere' }, QUIET), {
      ok: false,
      reason: 'pool nowhere has no S-VLAN',
    });
    node.answer = () => undefined;
    assert.deepEqual(await client.reconfigure('A', PROFILE, QUIET), {
      ok: false,
      reason: 'the access node gave no answer in 300 ms',
    });
  });

  it('without a connection reconfigure fails at once', async () => {
    client.open();
    assert.deepEqual(await client.reconfigure('A', PROFILE, QUIET), {
      ok: false,
      reason: 'the access node is not connected',
    });
  });

  it('a request that is open when the connection is lost fails', async () => {
    await node.listen(path);
    client.open();
    await waitForTold('up');
    node.answer = () => {
      for (const socket of node.sockets) socket.destroy();
      return undefined;
    };
    assert.deepEqual(await client.reconfigure('A', PROFILE, QUIET), {
      ok: false,
      reason: 'the connection to the access node was lost',
    });
  });

  it('it connects again, and ONTs that left meanwhile are told as gone', async () => {
    node.present = ['A', 'B'];
    await node.listen(path);
    client.open();
    await waitForTold('up');
    await node.close();
    await waitForTold('down');
    assert.equal(client.isConnected, false);
    told.length = 0;
    node.present = ['B'];
    await node.listen(path);
    await waitForTold('up');
    assert.deepEqual(told, ['gone A', 'detected B agg-01|B', 'up']);
  });

  it('it waits for an access node that is not there yet', async () => {
    client.open();
    await node.listen(path);
    await waitForTold('up');
  });

  it('lines that cannot be read are passed over', async () => {
    await node.listen(path);
    client.open();
    await waitForTold('up');
    node.say('garbage\n{"event":{"type":"Odd"}}\n{"id":99,"result":1}\n');
    assert.deepEqual(await client.reconfigure('A', PROFILE, QUIET), { ok: true });
  });
});
