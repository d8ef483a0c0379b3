/** THUDM's integer quantisation (`quantize(4 | 8)` and the `-int4` / `-int8` checkpoints), one scale per output row. */
import { roundTo, type FloatDType } from '../narrow';
import type { IntegerMatrix, MatrixShape } from './types';

export interface IntegerOptions {
  bits: 4 | 8;
  sourceDType: FloatDType;
  /** ChatGLM-6B rounds the scales to float16 before it divides by them; ChatGLM2 and ChatGLM3 keep the weight's format. */
  rule: 'chatglm' | 'chatglm2';
}

/** Quantises a matrix; `values` row-major. 4 bits need an even number of columns. */
export function packIntegers(
  values: Float32Array,
  shape: MatrixShape,
  options: IntegerOptions,
): IntegerMatrix {
  const { bits, sourceDType, rule } = options;
  const [rows, columns] = shape;
  if (bits === 4 && columns % 2 !== 0) throw new RangeError(`${columns} columns cannot be packed in pairs`);
  const scale = rowScales(values, shape, 2 ** (bits - 1) - 1, rule === 'chatglm' ? 'F16' : sourceDType);
  const quotients = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let i = row * columns; i < (row + 1) * columns; i++) quotients[i] = values[i] / scale[row];
  }
  // A float16 weight is divided in float16: the quotient is rounded before it becomes an integer.
  const rounded = roundTo(quotients, sourceDType);
  const integers = Uint8Array.from(rounded, (value) => roundHalfToEven(value));
  if (bits === 8) return { kind: 'int8', shape, codes: integers, scale };
  const codes = new Uint8Array(integers.length / 2);
  for (let i = 0; i < codes.length; i++) codes[i] = (integers[2 * i] << 4) | (integers[2 * i + 1] & 15);
  return { kind: 'int4', shape, codes, scale };
}

/** The values a packed matrix stands for, row-major, float32. */
export function unpackIntegers({ kind, shape, codes, scale }: IntegerMatrix): Float32Array {
  const [rows, columns] = shape;
  const values = new Float32Array(rows * columns);
  const signed = new Int8Array(codes.buffer, codes.byteOffset, codes.length);
  for (let i = 0; i < values.length; i++) {
    const row = Math.floor(i / columns);
    const integer = kind === 'int8' ? signed[i] : nibble(signed[i >>> 1], i % 2 === 0);
    values[i] = integer * scale[row];
  }
  return values;
}

function nibble(byte: number, high: boolean): number {
  return high ? byte >> 4 : (byte << 28) >> 28;
}

function rowScales(
  values: Float32Array,
  [rows, columns]: MatrixShape,
  largest: number,
  dtype: FloatDType,
): Float32Array {
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let most = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) most = Math.max(most, Math.abs(values[i]));
    scales[row] = most / largest;
  }
  return roundTo(scales, dtype);
}

/** A row of zeros has the scale 0 and quotients that are no numbers: they become 0. */
function roundHalfToEven(value: number): number {
  if (Number.isNaN(value)) return 0;
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
