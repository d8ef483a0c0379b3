/** Sizes of the stored number formats, and exact widening to float32. Files are little-endian, as is every machine Node 20 runs on. */
import type { StoredDType } from './types';

export const DTYPE_BYTES: Readonly<Record<StoredDType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

export function isStoredDType(value: unknown): value is StoredDType {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BYTES, value);
}

const FLOATING: ReadonlySet<StoredDType> = new Set(['F64', 'F32', 'F16', 'BF16']);

export function isFloating(dtype: StoredDType): boolean {
  return FLOATING.has(dtype);
}

/** Float32 bit pattern of a float16 bit pattern. Exact, subnormals included; NaN payloads are kept. */
export function float16BitsToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  // A subnormal half is a normal float32: shift the leading one into the hidden bit.
  const shift = Math.clz32(mantissa) - 21;
  return (sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)) >>> 0;
}

let halfTable: Uint32Array | undefined;

/** All 65536 float16 values as float32 bits (256 KiB): several times faster than computing them one by one. */
function float16Table(): Uint32Array {
  if (!halfTable) {
    halfTable = new Uint32Array(0x10000);
    for (let half = 0; half < 0x10000; half++) halfTable[half] = float16BitsToFloat32Bits(half);
  }
  return halfTable;
}

/**
 * Widens stored values into `target` from `targetOffset` on.
 * @param source aligned bytes of `dtype` values; float64 is rounded to the nearest float32, the others are exact
 */
export function widenToFloat32(
  dtype: 'F64' | 'F16' | 'BF16',
  source: Uint8Array,
  target: Float32Array,
  targetOffset: number,
): void {
  const count = source.byteLength / DTYPE_BYTES[dtype];
  if (dtype === 'F64') {
    target.set(new Float64Array(source.buffer, source.byteOffset, count), targetOffset);
    return;
  }
  // Bits, not numbers, are copied: that keeps signalling NaNs as they are.
  const values = new Uint16Array(source.buffer, source.byteOffset, count);
  const bits = new Uint32Array(target.buffer, target.byteOffset + 4 * targetOffset, count);
  if (dtype === 'BF16') {
    for (let i = 0; i < count; i++) bits[i] = values[i] << 16;
    return;
  }
  const table = float16Table();
  for (let i = 0; i < count; i++) bits[i] = table[values[i]]!;
}
