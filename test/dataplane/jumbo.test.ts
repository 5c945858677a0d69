/** Jumbo frames and the kernels that redirect none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jumboProblem } from '../../src/dataplane/jumbo.js';

test('before 6.3 packets that do not lie in one page are a problem, and it is said what to do', () => {
  assert.match(
    jumboProblem(9000, '6.1.0-56-amd64') ?? '',
    /^kernel 6\.1\.0-56-amd64 loses .*access\.mtu: 3498$/,
  );
  assert.notEqual(jumboProblem(3499, '5.18.0'), null);
  assert.equal(jumboProblem(3498, '6.1.0-56-amd64'), null);
  assert.equal(jumboProblem(1500, '6.2.16'), null);
});

test('from 6.3 on they are none', () => {
  for (const release of ['6.3.0', '6.12.117+deb13-amd64', '6.18.5', '7.0.0-rc1'])
    assert.equal(jumboProblem(9000, release), null);
});
