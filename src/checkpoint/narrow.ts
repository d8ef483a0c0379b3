/** Rounding of float32 values to the half-precision formats, to nearest, ties to even. */
import { widenToFloat32 } from './dtype';

/** Formats of weights that quantised matrices are made from. */
export type FloatDType = 'F32' | 'F16' | 'BF16';

/** float16 bit pattern nearest to a float32 bit pattern; too large becomes infinite, NaN stays NaN. */
export function float32BitsToFloat16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude >= 0x38800000) {
    // A carry out of the mantissa moves into the exponent, up to infinity, as it should.
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** bfloat16 bit pattern nearest to a float32 bit pattern. */
export function float32BitsToBFloat16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Bit patterns of values rounded to a half-precision format. */
export function toHalfBits(values: Float32Array, dtype: 'F16' | 'BF16'): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const narrow = dtype === 'F16' ? float32BitsToFloat16Bits : float32BitsToBFloat16Bits;
  const result = new Uint16Array(values.length);
  for (let i = 0; i < result.length; i++) result[i] = narrow(bits[i]);
  return result;
}

/** Values rounded to `dtype`, as float32; the array itself for F32. */
export function roundTo(values: Float32Array, dtype: FloatDType): Float32Array {
  if (dtype === 'F32') return values;
  const halves = toHalfBits(values, dtype);
  const result = new Float32Array(values.length);
  widenToFloat32(dtype, new Uint8Array(halves.buffer), result, 0);
  return result;
}
