/**
 * The real `bng run` on a machine whose wall clock is wrong and is set while it runs (libfaketime, for the BNG alone): leases
 * neither end nor last longer for it, and accounting counts the seconds that passed.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LAB_ROOT } from '../../src/lab/lab-paths.js';
import { patience } from '../../src/lab/patience.js';
import { GARDEN, House, leaseIn, ordered, until } from '../support/lab-house.js';
import { multiarch } from '../support/multiarch.js';

const PREFIX = 'rclk';
const RENEWS = 'CLOCKRENEW01';
const SILENT = 'CLOCKSILENT1';
const LEASE_SECONDS = 12;
/** What the whole of it may take on a busy machine, and still be told from a step of the clock. */
const HOUR_MS = 3_600_000;
const LIBRARY = `/usr/lib/${multiarch}/faketime/libfaketime.so.1`;

describe('a wall clock that is wrong', { timeout: 120_000 * patience }, () => {
  let house: House;
  let began = 0;
  const file = join(LAB_ROOT, PREFIX, 'faketime');
  /** For the BNG: as `date -s` would. */
  const set = (offset: string): void => writeFileSync(file, `${offset}\n`);
  const renewals = (): number =>
    house.lab.ont(RENEWS).leaseEvents.filter(({ event }) => event === 'renewed').length;
  const renews = async (): Promise<void> => {
    const seen = renewals();
    await until('a renewal is answered', 20_000, () => (renewals() > seen ? true : null));
  };
  const bngWallMs = async (): Promise<number> => {
    const session = await house.session(RENEWS);
    return Date.parse(session?.lease_expires_at ?? '');
  };
  const hasSession = async (serial: string): Promise<boolean> =>
    (await house.session(serial))?.lease_phase === 'bound';

  before(async () => {
    house = await House.start({
      prefix: PREFIX,
      leaseTimes: { wgar: `${LEASE_SECONDS}s` },
      configure: () => {
        set('-9000d');
        return {};
      },
      within: [
        'env',
        `LD_PRELOAD=${LIBRARY}`,
        `FAKETIME_TIMESTAMP_FILE=${file}`,
        'FAKETIME_DONT_FAKE_MONOTONIC=1',
        'FAKETIME_NO_CACHE=1',
      ],
    });
    began = performance.now();
  });
  after(() => house?.close());

  it('at the start is no matter: leases begin, and renewals are answered', async () => {
    await Promise.all(
      [RENEWS, SILENT].map((ontSerial, n) =>
        house.lab.plug({
          ...{ ontSerial, port: `1/1/${n + 1}`, tagging: 'qinq' as const, cVlan: n + 1 },
          client: 'dhclient' as const,
        }),
      ),
    );
    await Promise.all([RENEWS, SILENT].map((serial) => leaseIn(house.lab.ont(serial), GARDEN)));
    await renews();
    const shown = await bngWallMs();
    assert.ok(Math.abs(Date.now() - shown - 9_000 * 24 * HOUR_MS) < HOUR_MS, 'the clock is the wrong one');
  });

  it('stepped while it runs ends no lease and prolongs none, forwards or backwards', async () => {
    const id = (await house.session(RENEWS))?.id;
    set('+700d');
    await renews();
    set('-20d');
    await renews();
    assert.equal((await house.session(RENEWS))?.id, id);
    await house.lab.ont(SILENT).stop();
    const stopped = performance.now();
    set('+4000d');
    await until('the silent lease ends', 2 * LEASE_SECONDS * 1000, async () =>
      (await hasSession(SILENT)) ? null : true,
    );
    const lasted = performance.now() - stopped;
    assert.ok(lasted > (LEASE_SECONDS / 2 - 2) * 1000, `it ended after ${lasted} ms`);
    assert.equal((await house.session(RENEWS))?.id, id);
  });

  it('of another day at the next start of a killed BNG changes nothing; accounting has the seconds that passed', async () => {
    const id = (await house.session(RENEWS))?.id;
    await house.bng.process.kill();
    set('-9999d');
    await house.restartBng();
    assert.equal((await house.session(RENEWS))?.id, id);
    await renews();
    set('+1d');
    ordered(await house.order('terminate', RENEWS));
    const passed = (performance.now() - began) / 1000;
    const records = readFileSync(house.bng.process.logFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"Acct-Status-Type":"Stop"') && line.includes(RENEWS));
    const seconds = records.map((line) => Number(/"Acct-Session-Time":(\d+)/.exec(line)?.[1]));
    assert.equal(seconds.length, 1, records.join('\n'));
    assert.ok(
      (seconds[0] ?? 0) > LEASE_SECONDS && (seconds[0] ?? 0) <= passed + 1,
      `${seconds[0]} of ${passed} s`,
    );
  });
});
