import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FreeMap } from '../../src/pool/free-map.js';
import { seededRandom } from '../support/seeded-random.js';

describe('free map', () => {
  it('answers as a plain array of booleans does, for every size and filling', () => {
    const random = seededRandom(7);
    for (const size of [1, 2, 31, 32, 33, 64, 1000, 1024, 1025, 40_000]) {
      const map = new FreeMap(size);
      const model = new Array<boolean>(size).fill(false);
      const naive = (from: number): number => {
        for (let k = 0; k < size; k++) if (model[(from + k) % size] === false) return (from + k) % size;
        return -1;
      };
      for (let round = 0; round < 6; round++) {
        const filling = [0.3, 0.99, 1, 0.99, 0.5, 0][round]!;
        for (let position = 0; position < size; position++) {
          const take = filling === 1 || random() < filling;
          if (take) map.take(position);
          else map.release(position);
          model[position] = take;
        }
        for (let n = 0; n < 50; n++) {
          const from = Math.floor(random() * size);
          assert.equal(map.nextFree(from), naive(from), `size ${size}, filling ${filling}, from ${from}`);
          assert.equal(map.isTaken(from), model[from]);
        }
      }
    }
  });

  it('finds the only free position of a million from anywhere', () => {
    const map = new FreeMap(2 ** 20);
    for (let position = 0; position < 2 ** 20; position++) map.take(position);
    assert.equal(map.nextFree(0), -1);
    map.release(123_456);
    for (const from of [0, 123_456, 123_457, 2 ** 20 - 1]) assert.equal(map.nextFree(from), 123_456);
  });
});
