// See killsLoseNothing for what is checked; one file for each server, so that both stay below the deadline of a file.
import { describe, it } from 'node:test';
import { killsLoseNothing } from '../support/accounting-kills.js';

describe('accounting across kill -9', () => {
  it('loses no start and no stop over 60 kills while one answer in twenty gets lost', async (t) => {
    await killsLoseNothing(t, { kills: 60, seed: 11, answers: (_n, random) => random() < 0.95 });
  });
});
