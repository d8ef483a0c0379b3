/** The variables a packed matrix lives in. */
import { NF4_LEVELS } from '../../checkpoint/packed/tables';
import type { IntegerMatrix, MatrixShape, Nf4Matrix, PackedMatrix } from '../../checkpoint/packed/types';
import { sizeOf, type DType } from '../backend/ops';
import type { Variable } from '../backend/graphBuilder';
import type { HostArray } from '../backend/tensor';
import type { ComputeDType } from '../types';

/** What a function needs of a packed matrix: its variables, or their values. */
export interface Parts<V> {
  /** In the order of the weights: uint16 with four codes each, or int8 numbers. */
  codes: V;
  /** float32 [65536, 4]: the four numbers each code stands for; null where codes are numbers. Shared by all matrices. */
  table: V | null;
  /** float32 scales of rows or blocks, or their uint8 codes. */
  scales: V;
  /** float32 scales of the scales. */
  nested: V | null;
}

/** Everything about a packed matrix but its numbers. */
export interface PackedLayout {
  shape: MatrixShape;
  variables: Parts<Variable>;
  /** Weights that share a scale. */
  blockSize: number;
  /** Rows that are unpacked together; whole blocks and whole words of codes. */
  chunkRows: number;
  /** Scales that share a scale of their own, and what is added to them. */
  nested: { blockSize: number; offset: number } | null;
  /** What dequantised weights are rounded to before they become the compute dtype. */
  rounding: ComputeDType;
}

export interface PackedVariables {
  layout: PackedLayout;
  /** What to assign to the variables; the bytes are those of the variable's dtype. */
  data: { variable: Variable; data: HostArray }[];
}

/** 28 MiB as float32: glibc keeps up to 32 MiB for the next who asks; what is larger goes back to the system each time. */
const CHUNK_VALUES = 7 * 2 ** 20;
export const CODES_PER_WORD = 4;

/**
 * Variables for a packed matrix.
 * @param name the weight's; the look-up table is shared under a name of its own
 * @param chunkValues how many weights to unpack at a time, about
 */
export function packedVariables(
  name: string,
  matrix: PackedMatrix,
  chunkValues = CHUNK_VALUES,
): PackedVariables {
  const blockSize = matrix.kind === 'nf4' ? matrix.blockSize : matrix.shape[1];
  const chunkRows = rowsTogether(matrix.shape, blockSize, chunkValues);
  const shared = { shape: matrix.shape, blockSize, chunkRows };
  return matrix.kind === 'nf4' ? nf4Variables(name, matrix, shared) : integerVariables(name, matrix, shared);
}

/** As many rows as hold about `values` weights, the fewest that end with a block and with a word of codes, or a multiple of them. */
function rowsTogether([rows, columns]: MatrixShape, blockSize: number, values: number): number {
  let unit = 1;
  while (unit < rows && ((unit * columns) % blockSize !== 0 || (unit * columns) % CODES_PER_WORD !== 0))
    unit++;
  return Math.min(rows, unit * Math.max(1, Math.floor(values / (unit * columns))));
}

type SharedLayout = Pick<PackedLayout, 'shape' | 'blockSize' | 'chunkRows'>;

const ROUNDING = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

function nf4Variables(name: string, matrix: Nf4Matrix, shared: SharedLayout): PackedVariables {
  const { shape, blockSize, absmax, sourceDType } = matrix;
  const blocks = Math.ceil(sizeOf(shape) / blockSize);
  const codes = variable(`${name}.codes`, 'uint16', [(blocks * blockSize) / CODES_PER_WORD]);
  const table = variable('packed.nf4', 'float32', [65536, CODES_PER_WORD]);
  const layout = { ...shared, rounding: ROUNDING[sourceDType] };
  const data = [
    { variable: codes, data: padded(matrix.codes, (blocks * blockSize) / 2) },
    { variable: table, data: codeTable((code) => NF4_LEVELS[code]) },
  ];
  if (absmax.kind === 'plain') {
    const scales = variable(`${name}.absmax`, 'float32', [blocks]);
    return {
      layout: { ...layout, nested: null, variables: { codes, table, scales, nested: null } },
      data: [...data, { variable: scales, data: absmax.values }],
    };
  }
  const groups = absmax.scales.length;
  const scales = variable(`${name}.absmax`, 'uint8', [groups * absmax.blockSize]);
  const nested = variable(`${name}.nested_absmax`, 'float32', [groups]);
  return {
    layout: {
      ...layout,
      nested: { blockSize: absmax.blockSize, offset: absmax.offset },
      variables: { codes, table, scales, nested },
    },
    data: [
      ...data,
      { variable: scales, data: padded(absmax.codes, groups * absmax.blockSize) },
      { variable: nested, data: absmax.scales },
    ],
  };
}

function integerVariables(name: string, matrix: IntegerMatrix, shared: SharedLayout): PackedVariables {
  const { kind, shape, codes: bytes, scale } = matrix;
  const words = Math.ceil(sizeOf(shape) / CODES_PER_WORD);
  const codes =
    kind === 'int8'
      ? variable(`${name}.codes`, 'int8', [bytes.length])
      : variable(`${name}.codes`, 'uint16', [words]);
  const table = kind === 'int8' ? null : variable('packed.int4', 'float32', [65536, CODES_PER_WORD]);
  const scales = variable(`${name}.scale`, 'float32', [shape[0]]);
  return {
    layout: {
      ...shared,
      nested: null,
      rounding: 'float32',
      variables: { codes, table, scales, nested: null },
    },
    data: [
      { variable: codes, data: kind === 'int8' ? bytes : padded(bytes, 2 * words) },
      ...(table ? [{ variable: table, data: codeTable((code) => (code < 8 ? code : code - 16)) }] : []),
      { variable: scales, data: scale },
    ],
  };
}

function variable(name: string, dtype: DType, shape: readonly number[]): Variable {
  return { name, dtype, shape };
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  const result = new Uint8Array(length);
  result.set(bytes);
  return result;
}

/** The numbers of every two bytes of codes: low byte first, in each the high nibble first. */
function codeTable(level: (code: number) => number): Float32Array {
  const table = new Float32Array(65536 * CODES_PER_WORD);
  for (let word = 0; word < 65536; word++)
    [4, 0, 12, 8].forEach((shift, i) => (table[CODES_PER_WORD * word + i] = level((word >> shift) & 15)));
  return table;
}
