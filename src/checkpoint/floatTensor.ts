import { toHalfBits, type FloatDType } from './narrow';
import type { TensorToWrite } from './types';

/** A tensor to write from float32 values, row-major, rounded where `dtype` is narrower; F32 shares their memory. */
export function floatTensor(
  name: string,
  shape: readonly number[],
  values: Float32Array,
  dtype: FloatDType = 'F32',
): TensorToWrite {
  const { buffer, byteOffset, byteLength } = dtype === 'F32' ? values : toHalfBits(values, dtype);
  return { name, dtype, shape: [...shape], data: new Uint8Array(buffer, byteOffset, byteLength) };
}
