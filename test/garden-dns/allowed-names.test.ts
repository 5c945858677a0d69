/** Which names are allowed, and on which ports. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostName, portsOf } from '../../src/garden-dns/allowed-names.js';

const ALLOWED = [
  { name: 'pay.example.com', below: false, port: 443 },
  { name: 'pay.example.com', below: false, port: 8443 },
  { name: 'example.org', below: true, port: null },
  { name: 'help.example.org', below: false, port: 80 },
];

describe('allowed names', () => {
  it('a name is compared without regard to case and to a dot at its end (RFC 4343)', () => {
    assert.equal(hostName('Pay.EXAMPLE.com.'), 'pay.example.com');
  });

  it('what no host is called is none', () => {
    for (const text of [
      '',
      '.',
      'a..b',
      '-a.example',
      `${'a'.repeat(64)}.example`,
      'a b.example',
      'a*.example',
      'a.'.repeat(128),
    ]) {
      assert.equal(hostName(text), null, text);
    }
  });

  it('a name is allowed on each port that is listed for it', () => {
    assert.deepEqual(portsOf(ALLOWED, 'pay.example.com'), [443, 8443]);
  });

  it('a name with an asterisk allows what is below it, and not itself or what only ends alike', () => {
    assert.deepEqual(portsOf(ALLOWED, 'a.b.example.org'), [null]);
    assert.deepEqual(portsOf(ALLOWED, 'example.org'), []);
    assert.deepEqual(portsOf(ALLOWED, 'badexample.org'), []);
  });

  it('every port covers single ones', () => {
    assert.deepEqual(portsOf(ALLOWED, 'help.example.org'), [null]);
  });
});
