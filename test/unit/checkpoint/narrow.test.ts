import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float16BitsToFloat32Bits } from '../../../src/checkpoint/dtype';
import { roundTo, toHalfBits } from '../../../src/checkpoint/narrow';

function widen(half: number): number {
  return new Float32Array(Uint32Array.of(float16BitsToFloat32Bits(half)).buffer)[0];
}

test('every float16 number survives the way through float32', () => {
  const finite = Array.from({ length: 0x10000 }, (_, half) => half).filter(
    (half) => (half & 0x7c00) !== 0x7c00,
  );
  const back = toHalfBits(Float32Array.from(finite, widen), 'F16');
  assert.deepEqual([...back], finite);
});

test('between two neighbours the nearer is taken, in the middle the even one', () => {
  for (let half = 0; half < 0x7bff; half += 13) {
    const [low, high] = [widen(half), widen(half + 1)];
    const middle = (low + high) / 2;
    const quarter = (high - low) / 4;
    const found = toHalfBits(
      Float32Array.of(middle - quarter, middle, middle + quarter, -middle - quarter),
      'F16',
    );
    const even = half % 2 === 0 ? half : half + 1;
    assert.deepEqual([...found], [half, even, half + 1, 0x8000 | (half + 1)]);
  }
});

test('what is too large becomes infinite, what is too small zero, and NaN stays', () => {
  const found = toHalfBits(
    Float32Array.of(65504, 65519, 65520, 1e30, -Infinity, 2.9e-8, 3e-8, 1e-30, NaN),
    'F16',
  );
  assert.deepEqual([...found.subarray(0, 8)], [0x7bff, 0x7bff, 0x7c00, 0x7c00, 0xfc00, 0, 1, 0]);
  assert.ok(found[8] > 0x7c00);
});

test('bfloat16 is rounded to nearest, in the middle to even', () => {
  const values = Float32Array.of(1, -2.5, 1.00390625, 1.01171875, NaN, Infinity, 3.4e38);
  const back = roundTo(values, 'BF16');
  assert.deepEqual([...back.subarray(0, 4)], [1, -2.5, 1, 1.015625]);
  assert.ok(Number.isNaN(back[4]) && back[5] === Infinity && back[6] === Infinity);
});
