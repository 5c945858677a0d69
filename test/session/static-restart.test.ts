/** Static subscribers over a restart: bound as before, without an end; walled where they were suspended. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePrefix } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { DEFAULT_LINES } from '../../src/session/line-options.js';
import { ArpPeer, tagsOf } from '../support/arp-peer.js';
import { GARDEN, HOME, ip } from '../support/inner-bng.js';
import { World } from '../support/lives.js';

const OWN = ip('10.0.0.200');
const STATION = 0x02_00_00_00_00_01 as Mac;
const ONT = {
  ontSerial: 'ONT1',
  circuitId: Buffer.from('agg-01|1/1/1'),
  tags: { sVlan: 200, cVlan: 7 },
} as const;

describe('a static subscriber over a restart', () => {
  for (const isSuspended of [false, true]) {
    it(
      isSuspended ? 'stays walled in place, and can be opened' : 'goes on where it was, without an end',
      async (t) => {
        const world = new World(t);
        world.pools = [GARDEN, { ...HOME, exclude: [{ first: OWN, last: OWN }] }];
        world.lines = { ...DEFAULT_LINES, statics: [parsePrefix('10.0.0.200/32')], accessPorts: [3] };
        const rates = { downloadBitsPerSecond: 5e7, uploadBitsPerSecond: 5e7 };
        world.subscribers = [
          { ontSerial: 'ONT1', address: OWN, mac: STATION, poolName: 'isp', serviceId: 'office', ...rates },
        ];
        let life = await world.start();
        life.manager.onts.ontDetected(ONT);
        await life.quiet();
        new ArpPeer(world.dataplane).answers({ address: OWN, mac: STATION, tags: tagsOf(200, 7) });
        await life.quiet();
        if (isSuspended) await life.manager.operator.suspend('ONT1', 'unpaid');
        const before = life.manager.operator.sessionByOnt('ONT1');
        assert.equal(before?.leasePhase, 'bound');
        await world.kill();
        world.passes(90 * 86_400_000);
        life = await world.start();
        life.manager.onts.ontDetected({ ...ONT, wasThere: true });
        await life.quiet();
        const after = life.manager.operator.sessionByOnt('ONT1');
        assert.deepEqual(
          [after?.id, after?.state, after?.leasePhase, after?.address, after?.leaseExpiresWallMs],
          [before?.id, isSuspended ? 'suspended' : 'active', 'bound', OWN, null],
        );
        assert.equal(world.dataplane.installed(OWN)?.walled, isSuspended);
        if (isSuspended) {
          assert.ok((await life.manager.operator.resume('ONT1')).ok);
          assert.equal(world.dataplane.installed(OWN)?.walled, false);
          assert.equal(world.dataplane.installed(OWN)?.downloadBitsPerSecond, 5e7);
        }
        assert.deepEqual(life.bugs, []);
        assert.deepEqual(
          world.records
            .map((record) => record['Acct-Status-Type'])
            .filter((kind) => kind === 'Start' || kind === 'Stop'),
          ['Start'],
          'one accounting session, and no Stop',
        );
      },
    );
  }
});
