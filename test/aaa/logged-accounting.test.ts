import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountingRecord } from '../../src/aaa/accounting-record.js';
import { LoggedAccounting } from '../../src/aaa/logged-accounting.js';
import { NAS, accountingSession } from '../support/accounting-world.js';

const SESSION = accountingSession('ONT1', 1_700_000_000_900);

const COMMON = {
  'Acct-Session-Id': 'ONT1',
  'Acct-Multi-Session-Id': 'multi-ONT1',
  'User-Name': 'ONT1',
  'Framed-IP-Address': '10.0.0.7',
  'Calling-Station-Id': '02-00-00-AA-BB-0C',
  'NAS-Port-Id': 'access0:100.7',
  'Framed-Pool': 'isp',
  'Bng-Service-Id': 'gold',
  'Bng-Subscriber-Id': 'ont:ONT1',
  'Bng-Ont-Serial': 'ONT1',
  'ADSL-Agent-Circuit-Id': '0x6167672d30317c312f312f31',
  'ADSL-Agent-Remote-Id': '0x00ff',
  Class: ['0x0100ff', '0x07'],
};

const USED = {
  traffic: {
    upstreamPackets: 3n,
    upstreamBytes: 2n ** 63n + 1n,
    downstreamPackets: 5n,
    downstreamBytes: 5_000_000_000n,
  },
  durationMs: 61_100,
};

const USAGE = {
  'Acct-Session-Time': 61,
  'Acct-Input-Octets': '9223372036854775809',
  'Acct-Output-Octets': '5000000000',
  'Acct-Input-Packets': '3',
  'Acct-Output-Packets': '5',
};

function recorded(act: (accounting: LoggedAccounting) => void): readonly AccountingRecord[] {
  const records: AccountingRecord[] = [];
  act(
    new LoggedAccounting({ write: (record) => records.push(record), nas: NAS, interimIntervalSeconds: 300 }),
  );
  return records;
}

describe('logged accounting', () => {
  it('writes one record for a start', () => {
    const records = recorded((accounting) => accounting.start(SESSION));
    assert.deepEqual(records, [{ 'Acct-Status-Type': 'Start', 'Event-Timestamp': 1_700_000_000, ...COMMON }]);
  });

  it('writes one record for an interim, dated when it was true: upstream is input, exact beyond 2^53', () => {
    const records = recorded((accounting) => accounting.interim(SESSION, USED));
    const dated = { 'Acct-Status-Type': 'Interim-Update', 'Event-Timestamp': 1_700_000_062 };
    assert.deepEqual(records, [{ ...dated, ...COMMON, ...USAGE }]);
  });

  it('writes one record for a stop, with its cause', () => {
    const records = recorded((accounting) => accounting.stop(SESSION, { ...USED, cause: 'User-Request' }));
    const ending = { 'Acct-Status-Type': 'Stop', 'Acct-Terminate-Cause': 'User-Request' };
    assert.deepEqual(records, [{ ...ending, 'Event-Timestamp': 1_700_000_062, ...COMMON, ...USAGE }]);
  });
});
