import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountingRecord } from '../../src/aaa/logged-accounting.js';
import { LoggedAccounting } from '../../src/aaa/logged-accounting.js';
import type { AccountingSession } from '../../src/aaa/port.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { plainTerms } from '../../src/model/session-terms.js';
import { parseMac } from '../../src/model/mac.js';

const SESSION: AccountingSession = {
  accountingId: '65f0-1',
  multiSessionId: 'session-1',
  subscriberId: 'ont:ONT1',
  ontSerial: 'ONT1',
  line: {
    ifindex: 3,
    sVlan: 100,
    cVlan: 7,
    mac: parseMac('02:00:00:aa:bb:0c'),
    circuitId: new TextEncoder().encode('agg-01|1/1/1'),
    remoteId: Uint8Array.of(0, 255),
  },
  address: parseIpv4('10.0.0.7'),
  profile: {
    serviceId: 'gold',
    poolName: 'isp',
    walled: false,
    downloadBitsPerSecond: 0,
    uploadBitsPerSecond: 0,
  },
  terms: plainTerms('ONT1'),
  startedWallMs: 1_700_000_000_900,
};

const COMMON = {
  'Acct-Session-Id': '65f0-1',
  'Acct-Multi-Session-Id': 'session-1',
  'User-Name': 'ONT1',
  'Framed-IP-Address': '10.0.0.7',
  'Calling-Station-Id': '02-00-00-AA-BB-0C',
  'NAS-Port-Id': '3/100/7/20000aabb0c',
  'Framed-Pool': 'isp',
  'Bng-Service-Id': 'gold',
  'Bng-Ont-Serial': 'ONT1',
  'Agent-Circuit-Id': '0x6167672d30317c312f312f31',
  'Agent-Remote-Id': '0x00ff',
};

const STOP = {
  traffic: {
    upstreamPackets: 3n,
    upstreamBytes: 2n ** 63n + 1n,
    downstreamPackets: 5n,
    downstreamBytes: 5_000_000_000n,
  },
  cause: 'User-Request',
  durationMs: 61_100,
} as const;

function recorded(act: (accounting: LoggedAccounting) => void): readonly AccountingRecord[] {
  const records: AccountingRecord[] = [];
  act(new LoggedAccounting({ write: (record) => void records.push(record), interimIntervalSeconds: 300 }));
  return records;
}

describe('logged accounting', () => {
  it('writes one record for a start', () => {
    assert.deepEqual(
      recorded((accounting) => accounting.start(SESSION)),
      [{ 'Acct-Status-Type': 'Start', 'Event-Timestamp': 1_700_000_000, ...COMMON }],
    );
  });

  it('writes one record for an interim, without a cause', () => {
    const [record] = recorded((accounting) => accounting.interim(SESSION, STOP));
    assert.equal(record?.['Acct-Status-Type'], 'Interim-Update');
    assert.equal(record?.['Acct-Output-Octets'], '5000000000');
    assert.equal(record?.['Acct-Session-Time'], 61);
    assert.equal(record !== undefined && 'Acct-Terminate-Cause' in record, false);
  });

  it('writes one record for a stop: upstream is input, counters are exact beyond 2^53', () => {
    assert.deepEqual(
      recorded((accounting) => accounting.stop(SESSION, STOP)),
      [
        {
          'Acct-Status-Type': 'Stop',
          'Event-Timestamp': 1_700_000_062,
          ...COMMON,
          'Acct-Session-Time': 61,
          'Acct-Input-Octets': '9223372036854775809',
          'Acct-Output-Octets': '5000000000',
          'Acct-Input-Packets': '3',
          'Acct-Output-Packets': '5',
          'Acct-Terminate-Cause': 'User-Request',
        },
      ],
    );
  });

  it('writes records that JSON holds without loss, and leaves out what the line does not have', () => {
    const { circuitId: _c, remoteId: _r, ...bare } = SESSION.line;
    const records = recorded((accounting) => {
      accounting.start({ ...SESSION, ontSerial: null, line: bare });
      accounting.stop(SESSION, STOP);
    });
    assert.deepEqual(JSON.parse(JSON.stringify(records)), records);
    for (const name of ['Bng-Ont-Serial', 'Agent-Circuit-Id', 'Agent-Remote-Id']) {
      assert.ok(!Object.hasOwn(records[0]!, name));
      assert.ok(Object.hasOwn(records[1]!, name));
    }
  });
});
