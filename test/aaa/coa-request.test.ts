import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CoaKind, ErrorCauseName } from '../../src/aaa/coa-request.js';
import { isRefusal, readCoaRequest } from '../../src/aaa/coa-request.js';
import { macOfStationId } from '../../src/aaa/coa-station-id.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute as A } from '../../src/wire/radius-dictionary.js';

const RULES = {
  nasIdentifier: 'bng-1',
  nasIpAddress: parseIpv4('192.0.2.1'),
  filters: new Map([
    ['gold', { poolName: 'isp', serviceId: 'gold-1', downloadBitsPerSecond: 1e9, uploadBitsPerSecond: 5e8 }],
    ['slow', { poolName: null, serviceId: 'slow', downloadBitsPerSecond: 1e6, uploadBitsPerSecond: 1e6 }],
  ]),
};

type Add = (b: RadiusAttributesBuilder) => unknown;

function read(kind: CoaKind, ...add: Add[]) {
  const builder = new RadiusAttributesBuilder();
  for (const one of add) one(builder);
  return readCoaRequest(kind, builder.build(), RULES);
}

const user: Add = (b) => b.add(A.UserName, 'ONT1');
const rate: Add = (b) => b.add(A.BngDownloadRate, 1000);

describe('what a CoA-Request changes', () => {
  const table: readonly (readonly [string, Add, object])[] = [
    [
      'WISPr rates are bits per second',
      (b) => b.add(A.WisprBandwidthMaxDown, 5_000_000),
      { downloadBitsPerSecond: 5e6 },
    ],
    [
      'our rates are kilobits per second',
      (b) => b.add(A.BngUploadRate, 10_000_000),
      { uploadBitsPerSecond: 1e10 },
    ],
    [
      'one rate in both units is one rate',
      (b) => b.add(A.WisprBandwidthMaxUp, 2_000).add(A.BngUploadRate, 2),
      { uploadBitsPerSecond: 2000 },
    ],
    ['a rate of 0 is unlimited', (b) => b.add(A.WisprBandwidthMaxUp, 0), { uploadBitsPerSecond: 0 }],
    ['Framed-Pool is the pool', (b) => b.add(A.FramedPool, 'wgar'), { poolName: 'wgar' }],
    [
      'timers are seconds',
      (b) => b.add(A.SessionTimeout, 3600).add(A.IdleTimeout, 60).add(A.AcctInterimInterval, 120),
      { sessionTimeoutSeconds: 3600, idleTimeoutSeconds: 60, interimIntervalSeconds: 120 },
    ],
    [
      'a timer of 0 takes the limit away',
      (b) => b.add(A.SessionTimeout, 0).add(A.IdleTimeout, 0).add(A.AcctInterimInterval, 0),
      { sessionTimeoutSeconds: null, idleTimeoutSeconds: null, interimIntervalSeconds: null },
    ],
    [
      'a Filter-Id is the profile of that name',
      (b) => b.add(A.FilterId, 'gold'),
      { poolName: 'isp', serviceId: 'gold-1', downloadBitsPerSecond: 1e9, uploadBitsPerSecond: 5e8 },
    ],
    [
      'what is named by itself goes before the Filter-Id',
      (b) => b.add(A.FilterId, 'slow').add(A.WisprBandwidthMaxDown, 7).add(A.FramedPool, 'isp'),
      { poolName: 'isp', serviceId: 'slow', downloadBitsPerSecond: 7, uploadBitsPerSecond: 1e6 },
    ],
  ];
  for (const [name, add, change] of table) {
    it(name, () => {
      assert.deepEqual(read('CoA', user, add), { kind: 'CoA', selector: { userName: 'ONT1' }, change });
    });
  }
});

describe('what names the session', () => {
  it('is every identification attribute that is there, beside those that name this NAS', () => {
    const order = read('Disconnect', (b) =>
      b
        .add(A.NasIdentifier, 'bng-1')
        .add(A.NasIpAddress, parseIpv4('192.0.2.1'))
        .add(A.AcctSessionId, 'abc-1')
        .add(A.UserName, 'ONT1')
        .add(A.FramedIpAddress, parseIpv4('10.0.0.5'))
        .add(A.CallingStationId, '02-00-00-AA-BB-CC')
        .add(A.AdslAgentCircuitId, Buffer.from([1, 2, 0])),
    );
    assert.deepEqual(order, {
      kind: 'Disconnect',
      selector: {
        accountingId: 'abc-1',
        userName: 'ONT1',
        framedAddress: parseIpv4('10.0.0.5'),
        mac: parseMac('02:00:00:aa:bb:cc'),
        circuitId: Uint8Array.of(1, 2, 0),
      },
    });
  });

  it('is a MAC address however it is written, and nothing that only looks like one', () => {
    const mac = parseMac('02:00:00:aa:bb:cc');
    for (const text of [
      '02:00:00:aa:bb:cc',
      '02-00-00-AA-BB-CC',
      '0200.00aa.bbcc',
      '0200-00aa-bbcc',
      '020000-aabbcc',
      '020000:AABBCC',
      '020000aabbcc',
    ]) {
      assert.equal(macOfStationId(text), mac, text);
    }
    for (const text of [
      '',
      '02:00:00:aa:bb',
      '02:00-00:aa:bb:cc',
      '02:00:00:aa:bb:cc:ssid',
      '02000 0aabbcc',
      'ONT1',
    ]) {
      assert.equal(macOfStationId(text), null, text);
    }
  });
});

describe('a request is refused whole', () => {
  const table: readonly (readonly [string, CoaKind, ErrorCauseName, readonly Add[]])[] = [
    [
      'for another NAS-Identifier',
      'CoA',
      'NasIdentificationMismatch',
      [user, rate, (b) => b.add(A.NasIdentifier, 'bng-2')],
    ],
    [
      'for another NAS-IP-Address',
      'Disconnect',
      'NasIdentificationMismatch',
      [user, (b) => b.add(A.NasIpAddress, parseIpv4('192.0.2.2'))],
    ],
    ['without a session', 'CoA', 'MissingAttribute', [rate]],
    ['without a session to end', 'Disconnect', 'MissingAttribute', []],
    ['with nothing to change', 'CoA', 'MissingAttribute', [user]],
    [
      'with an attribute of no dictionary',
      'CoA',
      'UnsupportedAttribute',
      [user, rate, (b) => b.raw(200, Buffer.from('x'))],
    ],
    [
      'with the attribute of a vendor that nobody here knows',
      'CoA',
      'UnsupportedAttribute',
      [user, rate, (b) => b.raw(26, Buffer.from([0, 0, 0, 9, 1, 3, 0]))],
    ],
    [
      'with an attribute of a known vendor that nobody here knows',
      'CoA',
      'UnsupportedAttribute',
      [user, rate, (b) => b.raw(26, Buffer.from([0, 0, 0x37, 0x2a, 99, 3, 0]))],
    ],
    [
      'with an identification that cannot be checked',
      'CoA',
      'UnsupportedAttribute',
      [user, rate, (b) => b.add(A.NasPortId, 'access0:1')],
    ],
    [
      'with an attribute that is for other packets',
      'CoA',
      'UnsupportedAttribute',
      [user, rate, (b) => b.add(A.FramedRoute, '10.0.0.0/8')],
    ],
    ['that changes and disconnects', 'Disconnect', 'UnsupportedAttribute', [user, rate]],
    ['for a service', 'CoA', 'UnsupportedService', [user, (b) => b.add(A.ServiceType, 17)]],
    ['that names two users', 'CoA', 'InvalidRequest', [user, user, rate]],
    [
      'with a number of three bytes',
      'CoA',
      'InvalidRequest',
      [user, (b) => b.raw(27, Buffer.from([0, 0, 1]))],
    ],
    ['with a name that is no text', 'CoA', 'InvalidRequest', [rate, (b) => b.raw(1, Buffer.from([0xff]))]],
    [
      'with an empty attribute of a known vendor',
      'CoA',
      'InvalidRequest',
      [user, rate, (b) => b.raw(26, Buffer.from([0, 0, 0x37, 0x2a]))],
    ],
    [
      'for a station without a MAC address',
      'Disconnect',
      'InvalidAttributeValue',
      [(b) => b.add(A.CallingStationId, 'phone')],
    ],
    [
      'for a filter that is not configured',
      'CoA',
      'InvalidAttributeValue',
      [user, (b) => b.add(A.FilterId, 'toString')],
    ],
    [
      'for interims more often than RFC 2869 lets it',
      'CoA',
      'InvalidAttributeValue',
      [user, (b) => b.add(A.AcctInterimInterval, 59)],
    ],
    [
      'for two different rates at once',
      'CoA',
      'InvalidAttributeValue',
      [user, rate, (b) => b.add(A.WisprBandwidthMaxDown, 999_999)],
    ],
    [
      'for a rate over 1 Tbit/s',
      'CoA',
      'InvalidAttributeValue',
      [user, (b) => b.add(A.BngUploadRate, 1e9 + 1)],
    ],
  ];
  for (const [name, kind, cause, add] of table) {
    it(`${name}: ${cause}`, () => {
      const result = read(kind, ...add);
      assert.ok(isRefusal(result));
      assert.equal(result.cause, cause, result.reason);
    });
  }
});
