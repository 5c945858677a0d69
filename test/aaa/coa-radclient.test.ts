/** A foreign client: radclient of freeradius-utils against the real server and real sessions. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { CoaServer } from '../../src/aaa/coa-server.js';
import { systemClock } from '../../src/model/system-clock.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { InnerBng } from '../support/inner-bng.js';
import { radclientOrder } from '../support/radclient-order.js';
import { dropsOf, openServer, SECRET } from './coa-dac.js';

const RADCLIENT = '/usr/bin/radclient';
const missing = existsSync(RADCLIENT) ? false : `${RADCLIENT} is missing: apt-get install freeradius-utils`;

interface RadclientOptions {
  readonly secret?: string;
  readonly waitSeconds?: number;
}

interface Said {
  readonly exitCode: number;
  readonly text: string;
}

let bng: InnerBng;
let server: CoaServer;
let address: Ipv4;

beforeEach(async () => {
  bng = new InnerBng();
  server = await openServer({
    inlet: bng.manager.authorization,
    clock: systemClock,
    onBug: (error) => bng.bugs.push(error),
  });
  await bng.detect('ONT1');
  address = (await bng.ont('ONT1').lease()).message.yiaddr;
});
afterEach(async () => {
  await server.close();
  assert.deepEqual(bng.bugs, []);
});

/** One request, sent once; its lines as radclient reads them. */
async function radclient(
  command: 'coa' | 'disconnect',
  lines: readonly string[],
  { secret = SECRET, waitSeconds = 10 }: RadclientOptions = {},
): Promise<Said> {
  const words = ['-x', '-r', '1', '-t', String(waitSeconds), `127.0.0.1:${server.port}`];
  const child = spawn(RADCLIENT, [...words, command, secret]);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  child.stdin.end(radclientOrder(lines));
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, text };
}

describe('radclient', { skip: missing }, () => {
  it('changes rates, and believes the answer', async () => {
    const said = await radclient('coa', ['User-Name = "ONT1"', 'WISPr-Bandwidth-Max-Down = 5000000']);
    assert.equal(said.exitCode, 0, said.text);
    assert.match(said.text, /Received CoA-ACK/);
    assert.equal(bng.dataplane.installed(address)?.downloadBitsPerSecond, 5_000_000);
  });

  it('disconnects', async () => {
    const said = await radclient('disconnect', [
      'User-Name = "ONT1"',
      'Calling-Station-Id = "02-00-00-00-00-01"',
      'ADSL-Agent-Circuit-Id = "agg-01|1/1/ONT1"',
      'NAS-Identifier = "bng-1"',
    ]);
    assert.equal(said.exitCode, 0, said.text);
    assert.match(said.text, /Received Disconnect-ACK/);
    assert.equal(bng.dataplane.installed(address), null);
    assert.equal(bng.accounted.at(-1)?.final?.cause, 'Admin-Reset');
  });

  it('is told why not', async () => {
    const said = await radclient('disconnect', ['User-Name = "nobody"']);
    assert.notEqual(said.exitCode, 0);
    assert.match(said.text, /Received Disconnect-NAK/);
    assert.match(said.text, /Error-Cause = Session-Context-Not-Found/);
  });

  it('with the wrong secret hears nothing', async () => {
    const said = await radclient('disconnect', ['User-Name = "ONT1"'], {
      secret: 'wrong',
      waitSeconds: 1,
    });
    assert.notEqual(said.exitCode, 0);
    assert.doesNotMatch(said.text, /Received/);
    assert.match(said.text, /No reply/);
    assert.deepEqual(dropsOf(server), { 'wrong-request-authenticator': 1 });
    assert.notEqual(bng.dataplane.installed(address), null);
  });
});
