/**
 * Linear layers whose weight is packed in memory and unpacked at each use, forward and backward: what a weight takes in full
 * precision exists only while one product is computed.
 *
 * 16 bits of codes, four weights, are looked up at once. Measured at 4096 x 13696 on two CPU cores, float32: 0.16 s of CPU time, of
 * which the look-up takes nearly all; by pairs 0.28 s, by single codes with bit operations more, before their temporaries.
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
  /** uint16: four codes each, in the order of the weights; int8 [out, in] where a code is a byte. */
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

/** Variables for a packed matrix. `name` is the weight's; the look-up table is shared under a name of its own. */
export function packedVariables(name: string, matrix: PackedMatrix): PackedVariables {
  return matrix.kind === 'nf4' ? nf4Variables(name, matrix) : integerVariables(name, matrix);
}

const ROUNDING = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

function nf4Variables(name: string, matrix: Nf4Matrix): PackedVariables {
  const { shape, blockSize, absmax, sourceDType } = matrix;
  const blocks = Math.ceil(sizeOf(shape) / blockSize);
  const codes = variable(`${name}.codes`, 'uint16', [(blocks * blockSize) / 4]);
  const table = variable('packed.nf4', 'float32', [65536, 4]);
  const layout = { shape, blockSize, rounding: ROUNDING[sourceDType] };
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

function integerVariables(
  name: string,
  { kind, shape, codes: bytes, scale }: IntegerMatrix,
): PackedVariables {
  const [rows, columns] = shape;
  const quads = Math.ceil(bytes.length / 2);
  const codes =
    kind === 'int8'
      ? variable(`${name}.codes`, 'int8', [rows, columns])
      : variable(`${name}.codes`, 'uint16', [quads]);
  const table = kind === 'int8' ? null : variable('packed.int4', 'float32', [65536, 4]);
  const scales = variable(`${name}.scale`, 'float32', [rows]);
  return {
    layout: {
      shape,
      blockSize: columns,
      nested: null,
      rounding: 'float32',
      variables: { codes, table, scales, nested: null },
    },
    data: [
      { variable: codes, data: kind === 'int8' ? bytes : padded(bytes, 2 * quads) },
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
  const table = new Float32Array(65536 * 4);
  for (let word = 0; word < 65536; word++)
    [4, 0, 12, 8].forEach((shift, i) => (table[4 * word + i] = level((word >> shift) & 15)));
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
  const unpack = (ops: Ops, after: Value | undefined): Value => {
    const wait = (value: Value): Value => (after ? ops.barrier(value, after) : value);
    const waiting = { ...parts, codes: wait(parts.codes), scales: wait(parts.scales) };
    return dequantise(ops, layout, waiting, dtype);
  };
  return {
    dense: unpack,
    multiply(ops, x) {
      const [y] = ops.custom([x], (base) => ({
        outputs: [base.matMul(x, unpack(base, x), { transposeB: true })],
        // Unpacked again, so that nothing but codes is there between the two passes.
        backward: (back, [g]) => [back.matMul(g!, unpack(back, g!))],
      }));
      return y;
    },
  };
}

/** The matrix [out, in] in `dtype`: products in float32, rounded as the layout says, then cast. */
function dequantise(ops: Ops, layout: PackedLayout, parts: Parts<Value>, dtype: ComputeDType): Value {
  const { shape, blockSize, rounding } = layout;
  const count = sizeOf(shape);
  const scales = blockScales(ops, layout, parts);
  const blocks = scales.shape[0];
  const numbers = firsts(ops, codeNumbers(ops, parts), blocks * blockSize);
  const values = ops.mul(ops.reshape(numbers, [blocks, blockSize]), ops.reshape(scales, [blocks, 1]));
  const rounded = ops.cast(ops.cast(values, rounding), dtype);
  return ops.reshape(firsts(ops, rounded, count), shape);
}

function codeNumbers(ops: Ops, { codes, table }: Parts<Value>): Value {
  return table ? ops.gather(table, ops.cast(codes, 'int32')) : ops.cast(codes, 'float32');
}

/** The scale of every block, float32. */
function blockScales(ops: Ops, { shape, blockSize, nested }: PackedLayout, parts: Parts<Value>): Value {
  if (!nested || !parts.nested) return parts.scales;
  const levels = ops.gather(
    ops.constant(DYNAMIC_LEVELS, [DYNAMIC_LEVELS.length], 'float32'),
    ops.cast(parts.scales, 'int32'),
  );
  const [groups] = parts.nested.shape;
  const products = ops.mul(
    ops.reshape(levels, [groups, nested.blockSize]),
    ops.reshape(parts.nested, [groups, 1]),
  );
  const scales = ops.add(products, ops.scalar(nested.offset, 'float32'));
  return firsts(ops, scales, Math.ceil(sizeOf(shape) / blockSize));
}

/** The first `count` values of a tensor, flat; the rest is padding. */
function firsts(ops: Ops, x: Value, count: number): Value {
  const size = sizeOf(x.shape);
  const flat = x.shape.length === 1 ? x : ops.reshape(x, [size]);
  return count === size ? flat : ops.slice(flat, [0], [count]);
}
