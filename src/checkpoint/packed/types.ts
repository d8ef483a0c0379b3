/** Weight matrices stored in fewer bits, as they lie in files and in memory. */
import type { FloatDType } from '../narrow';

/** [out, in], as linear layers store their weights. */
export type MatrixShape = readonly [rows: number, columns: number];

/** Largest magnitudes of the blocks of an NF4 matrix, in order. */
export type Absmax =
  | { kind: 'plain'; values: Float32Array }
  | {
      /** Quantised themselves ("double quantisation"): `map[codes[b]] * scales[b / blockSize] + offset`. */
      kind: 'nested';
      codes: Uint8Array;
      scales: Float32Array;
      offset: number;
      blockSize: number;
    };

/** 4-bit NormalFloat (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314), laid out as bitsandbytes does. */
export interface Nf4Matrix {
  kind: 'nf4';
  shape: MatrixShape;
  /** Values of the flattened matrix that share a scale; blocks run across rows, the last may be short. */
  blockSize: number;
  /** ceil(out * in / 2) bytes; the first value of a pair is the high nibble. */
  codes: Uint8Array;
  absmax: Absmax;
  /** What the weight was before: dequantised values are rounded to it. */
  sourceDType: FloatDType;
}

/** Symmetric integers with one scale per output row, as THUDM's `quantize(4 | 8)` makes them. */
export interface IntegerMatrix {
  kind: 'int8' | 'int4';
  shape: MatrixShape;
  /**
   * int8: bit patterns [out, in]. int4: two's-complement nibbles [out, in / 2], the even column the high nibble.
   */
  codes: Uint8Array;
  /** [out] */
  scale: Float32Array;
}

export type PackedMatrix = Nf4Matrix | IntegerMatrix;

/** Bytes a packed matrix takes. */
export function packedBytes(matrix: PackedMatrix): number {
  if (matrix.kind !== 'nf4') return matrix.codes.byteLength + matrix.scale.byteLength;
  const { codes, absmax } = matrix;
  if (absmax.kind === 'plain') return codes.byteLength + absmax.values.byteLength;
  return codes.byteLength + absmax.codes.byteLength + absmax.scales.byteLength;
}
