/** Accounting records as the store may give them back: whole, or none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecord } from '../../src/aaa/accounting-backlog.js';
import { STOP_RECORD as STOP } from '../support/stored-rows.js';

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
