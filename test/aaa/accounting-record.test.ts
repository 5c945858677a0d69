/** Accounting records as the store may give them back: whole, or none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecord } from '../../src/aaa/accounting-backlog.js';

const STOP = {
  'Acct-Status-Type': 'Stop',
  'Acct-Session-Id': 'a',
  'Acct-Multi-Session-Id': 'b',
  'Event-Timestamp': 1_767_225_600,
  'User-Name': 'ONT1',
  'Framed-IP-Address': '10.0.0.5',
  'Calling-Station-Id': '02-00-00-00-00-01',
  'NAS-Port-Id': 'access0:100.7',
  'Framed-Pool': 'isp',
  'Bng-Service-Id': 's',
  'Bng-Subscriber-Id': 'ont:ONT1',
  Class: ['0x01'],
  'Acct-Session-Time': 5,
  'Acct-Input-Octets': '5000000000',
  'Acct-Output-Octets': '0',
  'Acct-Input-Packets': '1',
  'Acct-Output-Packets': '2',
  'Acct-Terminate-Cause': 'User-Request',
};

test('a record that was stored is read as it was, of each kind', () => {
  for (const status of ['Start', 'Interim-Update', 'Stop', 'Accounting-On', 'Accounting-Off']) {
    const record = { ...STOP, 'Acct-Status-Type': status };
    assert.deepEqual(parseRecord(JSON.stringify(record)), record);
  }
});

test('a stored record that lacks an attribute, or has one of another type, is none: it must not stop all others', () => {
  for (const name of Object.keys(STOP).filter((key) => key !== 'Class')) {
    assert.equal(parseRecord(JSON.stringify({ ...STOP, [name]: undefined })), null, name);
    assert.equal(parseRecord(JSON.stringify({ ...STOP, [name]: { odd: 1 } })), null, name);
  }
  for (const value of ['null', '5', '"text"', 'no json', undefined, new Uint8Array(2)])
    assert.equal(parseRecord(value), null);
  assert.equal(parseRecord(JSON.stringify({ ...STOP, Class: '0x01' })), null);
});
