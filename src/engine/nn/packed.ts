/**
 * Linear layers whose weight is packed in memory and unpacked at each use, forward and backward, some rows at a time: in full
 * precision only a few of them exist at any moment.
 *
 * 16 bits of codes, four weights, are looked up at once. Measured at 4096 x 13696 on two CPU cores, float32: 0.4 s of CPU time; by
 * pairs 0.5 s; nibble by nibble with bit operations 1.4 s and twice the temporary memory. More than half of it goes into fresh pages
 * for the result: in pieces of 28 MiB, which the allocator gives out again and again, it is 0.17 s.
 */
import { absmaxValues } from '../../checkpoint/packed/absmax';
import { DYNAMIC_LEVELS, NF4_LEVELS } from '../../checkpoint/packed/tables';
import type { IntegerMatrix, MatrixShape, Nf4Matrix, PackedMatrix } from '../../checkpoint/packed/types';
import { sizeOf, type DType, type Ops, type Value } from '../backend/ops';
import type { Variable } from '../backend/graphBuilder';
import type { HostArray } from '../backend/tensor';
import type { ComputeDType } from '../types';
import type { StoredWeight } from './linear';

/** What a function needs of a packed matrix: its variables, or their values. */
interface Parts<V> {
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
const CODES_PER_WORD = 4;

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
  while (unit < rows && ((unit * columns) % blockSize !== 0 || (unit * columns) % CODES_PER_WORD !== 0)) unit++;
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
      data: [...data, { variable: scales, data: absmaxValues(absmax) }],
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

/** A packed weight in a function; `read` gives the value of a variable. */
export function packedWeight(
  layout: PackedLayout,
  read: (variable: Variable) => Value,
  dtype: ComputeDType,
): StoredWeight {
  const { codes, table, scales, nested } = layout.variables;
  const parts: Parts<Value> = {
    codes: read(codes),
    table: table && read(table),
    scales: read(scales),
    nested: nested && read(nested),
  };
  const { shape, chunkRows } = layout;
  const chunks = Array.from({ length: Math.ceil(shape[0] / chunkRows) }, (_, i): RowRange => {
    const start = i * chunkRows;
    return { start, count: Math.min(chunkRows, shape[0] - start) };
  });
  const unpack = (ops: Ops, after: Value | undefined, range: RowRange): Value => {
    const wait = (value: Value): Value => (after ? ops.barrier(value, after) : value);
    const waiting = { ...parts, codes: wait(parts.codes), scales: wait(parts.scales) };
    return unpackRows(ops, layout, waiting, range, dtype);
  };
  return {
    dense: (ops, after) => unpack(ops, after, { start: 0, count: shape[0] }),
    multiply(ops, x) {
      const [y] = ops.custom([x], (base) => ({
        outputs: [products(base, x, chunks, unpack)],
        // Unpacked again, so that nothing but codes is there between the two passes.
        backward: (back, [g]) => [backProducts(back, g!, chunks, unpack)],
      }));
      return y;
    },
  };
}

interface RowRange {
  start: number;
  count: number;
}

type Unpack = (ops: Ops, after: Value, range: RowRange) => Value;

/** x [n, in] -> x Wᵀ [n, out]. Each chunk waits for the product of the one before: its memory is free then. */
function products(ops: Ops, x: Value, chunks: readonly RowRange[], unpack: Unpack): Value {
  let after = x;
  const parts = chunks.map((range) => {
    after = ops.matMul(x, unpack(ops, after, range), { transposeB: true });
    return after;
  });
  return ops.concat(parts, 1);
}

/** g [n, out] -> g W [n, in]. */
function backProducts(ops: Ops, g: Value, chunks: readonly RowRange[], unpack: Unpack): Value {
  if (chunks.length === 1) return ops.matMul(g, unpack(ops, g, chunks[0]));
  const parts = ops.split(
    g,
    chunks.map(({ count }) => count),
    1,
  );
  return chunks.slice(1).reduce(
    (sum, range, i) => ops.add(sum, ops.matMul(parts[i + 1], unpack(ops, sum, range))),
    ops.matMul(parts[0], unpack(ops, g, chunks[0])),
  );
}

/** Some rows of the matrix, [count, in] in `dtype`: products in float32, rounded as the layout says, then cast. */
function unpackRows(
  ops: Ops,
  layout: PackedLayout,
  parts: Parts<Value>,
  { start, count }: RowRange,
  dtype: ComputeDType,
): Value {
  const { shape, blockSize, rounding } = layout;
  const columns = shape[1];
  const blocks = Math.ceil((count * columns) / blockSize);
  const scales = range1(ops, blockScales(ops, layout, parts), (start * columns) / blockSize, blocks);
  const perWord = parts.table ? CODES_PER_WORD : 1;
  const words = Math.ceil((blocks * blockSize) / perWord);
  const codes = range1(ops, parts.codes, (start * columns) / perWord, words);
  const numbers = parts.table
    ? ops.gather(parts.table, ops.cast(codes, 'int32'))
    : ops.cast(codes, 'float32');
  const flat = range1(ops, ops.reshape(numbers, [words * perWord]), 0, blocks * blockSize);
  const values = ops.mul(ops.reshape(flat, [blocks, blockSize]), ops.reshape(scales, [blocks, 1]));
  const rounded = ops.reshape(ops.cast(ops.cast(values, rounding), dtype), [blocks * blockSize]);
  return ops.reshape(range1(ops, rounded, 0, count * columns), [count, columns]);
}

/** The scale of every block of the matrix, float32. */
function blockScales(ops: Ops, { shape, blockSize, nested }: PackedLayout, parts: Parts<Value>): Value {
  if (!nested || !parts.nested) return parts.scales;
  const levels = ops.gather(
    ops.constant(DYNAMIC_LEVELS, [DYNAMIC_LEVELS.length], 'float32'),
    ops.cast(parts.scales, 'int32'),
  );
  const [groups] = parts.nested.shape;
  const scaled = ops.mul(
    ops.reshape(levels, [groups, nested.blockSize]),
    ops.reshape(parts.nested, [groups, 1]),
  );
  const scales = ops.add(scaled, ops.scalar(nested.offset, 'float32'));
  const flat = ops.reshape(scales, [groups * nested.blockSize]);
  return range1(ops, flat, 0, Math.ceil(sizeOf(shape) / blockSize));
}

/** `count` values of a flat tensor. */
function range1(ops: Ops, x: Value, start: number, count: number): Value {
  return start === 0 && count === x.shape[0] ? x : ops.slice(x, [start], [count]);
}
