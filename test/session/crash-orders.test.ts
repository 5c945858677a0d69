// See cut-everywhere.ts for what is checked; two files, so that both stay well below the deadline of a file.
import { describe, it } from 'node:test';
import { cutEverywhere, SUSPENSION } from '../support/cut-everywhere.js';

describe('kill -9 at every point loses no promise, no session and no octet, and gives no address twice', () => {
  it('of an activation and a suspension', (t) => cutEverywhere(t, SUSPENSION));
});
