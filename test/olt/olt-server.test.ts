/** The management socket, spoken to by a peer of few words. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { OltServer } from '../../src/olt/olt-server.js';
import { OltSimulator } from '../../src/olt/olt-simulator.js';

const PLUG = { ontSerial: 'A', port: '1/1/1', interface: 'ont1', tagging: 'qinq' };
const RECONFIGURE = { ontSerial: 'A', sVlan: 200, qosDownloadBps: 10, qosUploadBps: 5 };

class Peer {
  readonly socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string) {
    this.socket = createConnection(path);
    this.#lines = createInterface({ input: this.socket })[Symbol.asyncIterator]();
  }

  write(line: unknown): void {
    this.socket.write(typeof line === 'string' ? line : `${JSON.stringify(line)}\n`);
  }

  async next(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.#lines.next()).value as string) as Record<string, unknown>;
  }
}

describe('the management socket of the access node', { timeout: 20_000 }, () => {
  let directory: string;
  let path: string;
  let server: OltServer;
  const peers: Peer[] = [];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'bng-olt-'));
    path = join(directory, 'olt.sock');
    const simulator = new OltSimulator({
      aggregatorId: 'agg-01',
      gardenSVlan: 4000,
      plant: { provision: () => undefined, withdraw: () => undefined, bounce: () => Promise.resolve() },
      onEvent: (event) => server.publish(event),
    });
    server = new OltServer({ path, simulator, counts: () => ({ punt: 3 }) });
    await server.listen();
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.socket.destroy();
    await server.close();
    rmSync(directory, { recursive: true });
  });

  async function connect(): Promise<Peer> {
    const peer = new Peer(path);
    peers.push(peer);
    await once(peer.socket, 'connect');
    return peer;
  }

  it('events reach every connected peer, with the fields of the mission', async () => {
    const [asker, listener] = [await connect(), await connect()];
    // Both are served, so both are on the list.
    listener.write({ id: 1, method: 'stats' });
    await listener.next();
    asker.write({ id: 1, method: 'plug', params: PLUG });
    for (const peer of [asker, listener]) {
      assert.equal(((await peer.next())['event'] as { type: string }).type, 'NewONTDetected');
      assert.deepEqual((await peer.next())['event'], {
        type: 'ONTProvisioned',
        ontSerial: 'A',
        port: '1/1/1',
        aggregatorId: 'agg-01',
        interface: 'ont1',
        tagging: 'qinq',
        sVlan: 4000,
        cVlan: 1,
        state: 'provisioned',
        qosDownloadBps: 0,
        qosUploadBps: 0,
        circuitId: 'agg-01|1/1/1',
        remoteId: 'A',
      });
    }
    assert.equal((await asker.next())['id'], 1);
  });

  it('every method has its answer', async () => {
    const peer = await connect();
    peer.write({ id: 1, method: 'plug', params: PLUG });
    for (let i = 0; i < 3; i++) await peer.next();
    peer.write({ id: 2, method: 'reconfigure', params: RECONFIGURE });
    assert.equal(((await peer.next())['event'] as { type: string }).type, 'ONTReconfigured');
    assert.equal(((await peer.next())['result'] as { sVlan: number }).sVlan, 200);
    peer.write({ id: 3, method: 'onts', params: {} });
    const onts = (await peer.next())['result'] as { ontSerial: string; qosDownloadBps: number }[];
    assert.deepEqual(
      onts.map((ont) => [ont.ontSerial, ont.qosDownloadBps]),
      [['A', 10]],
    );
    peer.write({ id: 4, method: 'unplug', params: { ontSerial: 'A' } });
    assert.equal(((await peer.next())['event'] as { type: string }).type, 'ONTDisconnected');
    assert.equal((await peer.next())['id'], 4);
    peer.write({ id: 5, method: 'stats' });
    assert.deepEqual(await peer.next(), { id: 5, result: { peers: 1, badLines: 0, counts: { punt: 3 } } });
  });

  it('what the rules refuse is an error with the id of the request', async () => {
    const peer = await connect();
    peer.write({ id: 7, method: 'reconfigure', params: RECONFIGURE });
    const answer = await peer.next();
    assert.equal(answer['id'], 7);
    assert.match((answer['error'] as { message: string }).message, /expected a known ONT/);
    assert.equal(server.stats().badLines, 0);
  });

  it('a bad line is counted and answered, and the next one is served', async () => {
    const bad: [string, number | null][] = [
      ['no json at all\n', null],
      ['[1,2]\n', null],
      ['{"id":1,"method":"reboot"}\n', 1],
      ['{"id":2,"method":"plug","params":{"ontSerial":"A"}}\n', 2],
      [`${JSON.stringify({ id: 3, method: 'plug', params: { ...PLUG, extra: 1 } })}\n`, 3],
      [`${JSON.stringify({ id: 4, method: 'reconfigure', params: { ...RECONFIGURE, sVlan: 4095 } })}\n`, 4],
      ['{"id":-1,"method":"onts"}\n', null],
      [`${'x'.repeat(70_000)}\n`, null],
    ];
    const peer = await connect();
    for (const [line, id] of bad) {
      peer.write(line);
      const answer = await peer.next();
      assert.equal(answer['id'], id, line.slice(0, 60));
      assert.equal(typeof (answer['error'] as { message: string }).message, 'string');
    }
    peer.write({ id: 9, method: 'onts' });
    assert.deepEqual(await peer.next(), { id: 9, result: [] });
    assert.equal(server.stats().badLines, bad.length);
  });

  it('a peer that goes away in the middle of a line harms nobody', async () => {
    const [rude, kind] = [await connect(), await connect()];
    rude.write('{"id":1,"met');
    rude.socket.destroy();
    kind.write({ id: 1, method: 'onts' });
    assert.deepEqual(await kind.next(), { id: 1, result: [] });
  });

  it('a stale socket file is replaced, and closing twice is fine', async () => {
    await server.close();
    await server.listen();
    const peer = await connect();
    peer.write({ id: 1, method: 'onts' });
    assert.equal((await peer.next())['id'], 1);
    await server.close();
    await server.close();
  });
});
