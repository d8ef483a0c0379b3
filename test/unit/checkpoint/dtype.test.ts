import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float16BitsToFloat32Bits, widenToFloat32 } from '../../../src/checkpoint/dtype';

/** The value by definition, computed in float64. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

test('every float16 value widens exactly', () => {
  const source = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
  const target = new Float32Array(65536);
  widenToFloat32('F16', new Uint8Array(source.buffer), target, 0);
  for (let bits = 0; bits < 65536; bits++) {
    assert.ok(Object.is(target[bits], halfValue(bits)), `bits ${bits.toString(16)}: ${target[bits]}`);
  }
});

test('NaN payloads of float16 are kept', () => {
  assert.equal(float16BitsToFloat32Bits(0x7e01), 0x7fc02000);
  assert.equal(float16BitsToFloat32Bits(0xfd55), 0xffaaa000);
});

test('bfloat16 is the upper half of float32, float64 is rounded to nearest', () => {
  const target = new Float32Array(4);
  const brain = Uint16Array.from([0x3f80, 0xc0a0, 0x0001, 0xff80]);
  widenToFloat32('BF16', new Uint8Array(brain.buffer), target, 0);
  assert.deepEqual([...target], [1, -5, 2 ** -133, Number.NEGATIVE_INFINITY]);
  widenToFloat32('F64', new Uint8Array(Float64Array.from([0.1, 1e300]).buffer), target, 2);
  assert.deepEqual([...target.subarray(2)], [Math.fround(0.1), Number.POSITIVE_INFINITY]);
});
