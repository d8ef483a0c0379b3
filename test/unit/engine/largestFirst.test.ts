import assert from 'node:assert/strict';
import { test } from 'node:test';
import { largestFirst } from '../../../src/engine/infer/largestFirst';
import { Random } from '../../../src/engine/random';

test('indices come in the order of a stable sort, without those of nothing', () => {
  const random = new Random(3);
  for (const length of [0, 1, 2, 3, 7, 500]) {
    // Few different values, so that there are ties.
    const values = Float64Array.from({ length }, () => random.integer(20) / 20);
    const sorted = Array.from(values.keys())
      .filter((i) => values[i] > 0)
      .sort((a, b) => values[b] - values[a]);
    assert.deepEqual([...largestFirst(values)], sorted);
  }
});
