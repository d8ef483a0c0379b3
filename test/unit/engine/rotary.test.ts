import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frequencies, halfFrequencies, halvedPairs, interleavedPairs } from '../../../src/engine/nn/rotary';

test('frequencies are rounded to float32 at each step', () => {
  const table = frequencies(10000, 64);
  assert.deepEqual([table.length, table[0]], [32, 1]);
  assert.ok(table.every((value) => Math.fround(value) === value));
  table.forEach((value, j) => assert.ok(Math.abs(value / 10000 ** (-j / 32) - 1) < 2e-7));
});

/** Significant bits of a float16. */
const BITS = 11;

test('ChatGLM-6B turns by float16 frequencies', () => {
  const table = halfFrequencies(10000, 64);
  const exact = frequencies(10000, 64);
  table.forEach((value, j) => {
    const unit = 2 ** (Math.floor(Math.log2(value)) + 1 - BITS);
    assert.ok(Number.isInteger(value / unit), `${value} is no float16`);
    assert.ok(Math.abs(value - exact[j]) <= unit / 2);
  });
  assert.notDeepEqual(table, exact);
});

test('pairs of neighbours, and pairs of halves', () => {
  const channels = (pairs: readonly { channels: readonly [number, number] }[]) =>
    pairs.map((pair) => [...pair.channels]);
  assert.deepEqual(channels(interleavedPairs([1, 0.1])), [
    [0, 1],
    [2, 3],
  ]);
  assert.deepEqual(channels(halvedPairs([1, 0.1], 4, 1)), [
    [4, 6],
    [5, 7],
  ]);
});
