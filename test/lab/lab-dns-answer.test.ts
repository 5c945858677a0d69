import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerDnsQuery } from '../../src/lab/dns-answer.js';

const ADDRESS = Uint8Array.of(192, 0, 2, 80);
/** Query for example.org (RFC 1035 §4.1), id 0x1234, recursion desired. */
function query(type: string, flags = '0100'): Buffer {
  return Buffer.from(`1234${flags}0001000000000000076578616d706c65036f726700${type}0001`, 'hex');
}

describe('the resolver of the lab', () => {
  it('an A question gets the address', () => {
    assert.equal(
      Buffer.from(answerDnsQuery(query('0001'), ADDRESS)!).toString('hex'),
      '123485800001000100000000076578616d706c65036f726700' + '00010001' + 'c00c000100010000003c0004c0000250',
    );
  });

  it('a question of another type gets an answer without records', () => {
    assert.equal(
      Buffer.from(answerDnsQuery(query('001c'), ADDRESS)!).toString('hex'),
      '123485800001000000000000076578616d706c65036f726700' + '001c0001',
    );
  });

  it('another opcode is not implemented', () => {
    assert.equal(answerDnsQuery(query('0001', '2800'), ADDRESS)![3]! & 15, 4);
  });

  it('a response, and a query cut anywhere, get nothing', () => {
    assert.equal(answerDnsQuery(query('0001', '8100'), ADDRESS), null);
    const whole = query('0001');
    for (let length = 0; length < whole.length; length++) {
      assert.equal(answerDnsQuery(whole.subarray(0, length), ADDRESS), null, `length ${length}`);
    }
  });
});
