import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { smooth } from '../../../webview/runs/smoothing';
import { fill, formatNumber, formatTick } from '../../../webview/runs/format';

describe('debiased moving average', () => {
  it('is the value itself without smoothing, and a constant for a constant', () => {
    assert.deepEqual(smooth([3, 1, 2], 0), [3, 1, 2]);
    for (const value of smooth([2, 2, 2, 2], 0.9)) assert.ok(Math.abs((value ?? 0) - 2) < 1e-12);
  });

  it('weighs by hand-computed weights', () => {
    // w = 0.5: 4; (0.25*4 + 0.5*2) / 0.75; (0.125*4 + 0.25*2 + 0.5*0) / 0.875
    const smoothed = smooth([4, 2, 0], 0.5);
    assert.equal(smoothed[0], 4);
    assert.ok(Math.abs((smoothed[1] ?? 0) - 2 / 0.75) < 1e-12);
    assert.ok(Math.abs((smoothed[2] ?? 0) - 1 / 0.875) < 1e-12);
  });

  it('leaves gaps where there is no number and does not carry them on', () => {
    assert.deepEqual(smooth([1, null, NaN, 1], 0.6).slice(1, 3), [null, null]);
    assert.ok(Math.abs((smooth([1, null, NaN, 1], 0.6)[3] ?? 0) - 1) < 1e-12);
  });
});

describe('numbers of the panel', () => {
  it('are short at every size', () => {
    assert.equal(formatNumber(2.718281, 'en'), '2.718');
    assert.equal(formatNumber(0.00003, 'en'), '3e-5');
    assert.equal(formatNumber(null, 'en'), '–');
    assert.equal(formatNumber(0, 'en'), '0');
    assert.equal(formatTick(0.00025), '2.5e-4');
    assert.equal(formatTick(0.30000000000000004), '0.3');
  });

  it('fill templates and leave unknown places', () => {
    assert.equal(fill('{a} of {b}', { a: '1' }), '1 of {b}');
  });
});
