/** The arithmetic behind the benchmark's figures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { largestDifference, linearFit, median, ratios, spread } from '../../bench/harness/statistics';

describe('statistics of the benchmark', () => {
  it('takes the middle of an odd count and the mean of the two middle ones of an even count', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.throws(() => median([]));
    assert.deepEqual(spread([2, 8, 4]), { min: 2, median: 4, max: 8 });
  });

  it('divides within a round, never across rounds', () => {
    const ours = new Map([
      [0, 10],
      [1, 30],
      [3, 8],
    ]);
    const theirs = new Map([
      [0, 5],
      [1, 10],
      [2, 1],
    ]);
    assert.deepEqual(ratios(ours, theirs), [2, 3]);
  });

  it('fits a line, and says how well', () => {
    const exact = linearFit([
      [1, 5],
      [2, 7],
      [4, 11],
    ]);
    assert.ok(Math.abs(exact.slope - 2) < 1e-12);
    assert.ok(Math.abs(exact.intercept - 3) < 1e-12);
    assert.ok(Math.abs(exact.r2 - 1) < 1e-12);
    // By hand: slope 1/2, intercept 5/6; the squares of the residuals sum to 1/6, of the deviations to 2/3.
    const rough = linearFit([
      [0, 1],
      [1, 1],
      [2, 2],
    ]);
    assert.ok(Math.abs(rough.slope - 0.5) < 1e-12);
    assert.ok(Math.abs(rough.intercept - 5 / 6) < 1e-12);
    assert.ok(Math.abs(rough.r2 - 0.75) < 1e-12);
    assert.throws(() =>
      linearFit([
        [1, 1],
        [1, 2],
      ]),
    );
  });

  it('compares losses as far as both sides have them', () => {
    assert.ok(Math.abs(largestDifference([1.01, 2], [1, 2, 9]) - 0.01) < 1e-12);
    assert.equal(largestDifference([], [1]), Infinity);
    assert.equal(largestDifference([NaN], [1]), Infinity);
  });
});
