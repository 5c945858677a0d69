import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LocalAuthenticator } from '../../src/aaa/local-authenticator.js';
import type { ServiceProfile } from '../../src/model/service-profile.js';

const BUSINESS = {
  poolName: 'isp',
  serviceId: 'business',
  downloadBitsPerSecond: 1e9,
  uploadBitsPerSecond: 5e8,
};

function authenticator(defaultPool: string): LocalAuthenticator {
  const records = [
    { ontSerial: 'ONT1', ...BUSINESS },
    { ontSerial: 'ONT2', ...BUSINESS, poolName: 'wgar' },
  ];
  return new LocalAuthenticator({ records, defaultPool, gardenPool: 'wgar' });
}

async function granted(
  local: LocalAuthenticator,
  ontSerial: string | null,
  subscriberId = 's',
): Promise<ServiceProfile> {
  const result = await local.authenticate({ subscriberId, ontSerial, line: null });
  assert.equal(result.kind, 'accepted');
  return (result as { profile: ServiceProfile }).profile;
}

describe('local authentication', () => {
  it('grants an ONT what its record says', async () => {
    assert.deepEqual(await granted(authenticator('wgar'), 'ONT1'), { ...BUSINESS, walled: false });
  });

  it('grants unknown ONTs and lines without one the default pool without a rate limit', async () => {
    const unlimited = { downloadBitsPerSecond: 0, uploadBitsPerSecond: 0 };
    for (const serial of ['ONT9', '', '__proto__', null]) {
      assert.deepEqual(await granted(authenticator('wgar'), serial), {
        serviceId: 'wgar',
        poolName: 'wgar',
        walled: true,
        ...unlimited,
      });
    }
    assert.deepEqual(await granted(authenticator('isp'), null), {
      serviceId: 'isp',
      poolName: 'isp',
      walled: false,
      ...unlimited,
    });
  });

  it('walls whoever is granted the pool of the walled garden, by record too', async () => {
    assert.equal((await granted(authenticator('isp'), 'ONT2')).walled, true);
  });

  it('grants what it was told last; what was assigned stays', async () => {
    const local = authenticator('wgar');
    const assigned: ServiceProfile = { ...BUSINESS, serviceId: 'gold', walled: false };
    local.assign('two', assigned, null);
    const slower = { ontSerial: 'ONT1', ...BUSINESS, downloadBitsPerSecond: 1e6 };
    local.reconfigure({ records: [slower], defaultPool: 'isp' });
    assert.equal((await granted(local, 'ONT1')).downloadBitsPerSecond, 1e6);
    assert.deepEqual(await granted(local, 'ONT2', 'two'), assigned);
    assert.equal((await granted(local, 'ONT2', 'other')).poolName, 'isp');
  });

  it('grants what was assigned until it is forgotten, then what configuration says, each subscriber alone', async () => {
    const local = authenticator('wgar');
    const assigned: ServiceProfile = { ...BUSINESS, serviceId: 'gold', walled: false };
    const before = await granted(local, 'ONT2', 'two');
    local.assign('two', assigned, null);
    local.assign('nine', assigned, assigned);
    assert.deepEqual(await granted(local, 'ONT2', 'two'), assigned);
    assert.deepEqual(await granted(local, null, 'nine'), assigned);
    assert.deepEqual(await granted(local, 'ONT2', 'other'), before);
    local.forget('two');
    local.forget('never assigned');
    assert.deepEqual(await granted(local, 'ONT2', 'two'), before);
    assert.deepEqual(await granted(local, null, 'nine'), assigned);
    local.forget('nine');
    assert.equal((await granted(local, null, 'nine')).poolName, 'wgar');
  });
});
