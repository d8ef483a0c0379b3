/**
 * Linear layers whose weight is packed in memory and unpacked at each use, forward and backward, some rows at a time: in full
 * precision only a few of them exist at any moment.
 *
 * 16 bits of codes, four weights, are looked up at once. Measured at 4096 x 13696 on two CPU cores, float32: 0.4 s of CPU time; by
 * pairs 0.5 s; nibble by nibble with bit operations 1.4 s and twice the temporary memory. More than half of it goes into fresh pages
 * for the result: in pieces of 28 MiB, which the allocator gives out again and again, it is 0.17 s.
 */
import { DYNAMIC_LEVELS } from '../../checkpoint/packed/tables';
import { sizeOf, type Ops, type Value } from '../backend/ops';
import type { Variable } from '../backend/graphBuilder';
import type { ComputeDType } from '../types';
import type { StoredWeight } from './linear';
import { CODES_PER_WORD, type PackedLayout, type Parts } from './packedLayout';

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
  const open = (ops: Ops, after?: Value): Unpack => {
    const wait = (value: Value, earlier?: Value): Value => (earlier ? ops.barrier(value, earlier) : value);
    const blocks = blockScales(ops, layout, { ...parts, scales: wait(parts.scales, after) });
    return (range, previous) =>
      unpackRows(ops, layout, { ...parts, codes: wait(parts.codes, previous), scales: blocks }, range, dtype);
  };
  return {
    dense: (ops, after) => open(ops, after)({ start: 0, count: shape[0] }, after),
    multiply(ops, x) {
      const [y] = ops.custom([x], (base) => ({
        outputs: [products(base, x, chunks, open(base, x))],
        // Unpacked again, so that nothing but codes is there between the two passes.
        backward: (back, [g]) => [backProducts(back, g!, chunks, open(back, g!))],
      }));
      return y;
    },
  };
}

interface RowRange {
  start: number;
  count: number;
}

/** Rows of the matrix, computed no earlier than `after` is there. */
type Unpack = (range: RowRange, after?: Value) => Value;

/** x [n, in] -> x Wᵀ [n, out]. Each chunk waits for the product of the one before: its memory is free then. */
function products(ops: Ops, x: Value, chunks: readonly RowRange[], unpack: Unpack): Value {
  let after = x;
  const parts = chunks.map((range) => {
    after = ops.matMul(x, unpack(range, after), { transposeB: true });
    return after;
  });
  return ops.concat(parts, 1);
}

/** g [n, out] -> g W [n, in]. */
function backProducts(ops: Ops, g: Value, chunks: readonly RowRange[], unpack: Unpack): Value {
  if (chunks.length === 1) return ops.matMul(g, unpack(chunks[0], g));
  const parts = ops.split(
    g,
    chunks.map(({ count }) => count),
    1,
  );
  return chunks
    .slice(1)
    .reduce(
      (sum, range, i) => ops.add(sum, ops.matMul(parts[i + 1], unpack(range, sum))),
      ops.matMul(parts[0], unpack(chunks[0], g)),
    );
}

/** Some rows of the matrix, [count, in] in `dtype`; `parts.scales` are those of the blocks. Products in float32, rounded, then cast. */
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
  const scales = part(ops, parts.scales, (start * columns) / blockSize, blocks);
  const perWord = parts.table ? CODES_PER_WORD : 1;
  const words = Math.ceil((blocks * blockSize) / perWord);
  const codes = part(ops, parts.codes, (start * columns) / perWord, words);
  const numbers = parts.table
    ? ops.gather(parts.table, ops.cast(codes, 'int32'))
    : ops.cast(codes, 'float32');
  const flat = part(ops, ops.reshape(numbers, [words * perWord]), 0, blocks * blockSize);
  const values = ops.mul(ops.reshape(flat, [blocks, blockSize]), ops.reshape(scales, [blocks, 1]));
  const rounded = ops.reshape(ops.cast(ops.cast(values, rounding), dtype), [blocks * blockSize]);
  return ops.reshape(part(ops, rounded, 0, count * columns), [count, columns]);
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
  return part(ops, flat, 0, Math.ceil(sizeOf(shape) / blockSize));
}

/** `count` values of a flat tensor. */
function part(ops: Ops, x: Value, start: number, count: number): Value {
  return start === 0 && count === x.shape[0] ? x : ops.slice(x, [start], [count]);
}
