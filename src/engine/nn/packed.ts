/**
 * Linear layers whose weight is packed in memory and unpacked at each use, forward and backward, a piece at a time: in full
 * precision only one piece exists at any moment.
 *
 * A piece is unpacked by one compiled loop that looks up bytes of two codes, multiplies by the blocks' scales and rounds: 0.5 ns of
 * CPU time a weight (AVX2, 6144 x 2048, bfloat16). The same as operations of their own took 6.8 ns; words of four codes, whose table
 * leaves the nearest cache, 0.8 ns; selecting among 16 constants 0.9 ns.
 */
import { DYNAMIC_LEVELS } from '../../checkpoint/packed/tables';
import type { Variable } from '../backend/graphBuilder';
import { sizeOf, type MatMulOptions, type Ops, type Value } from '../backend/ops';
import type { ComputeDType } from '../types';
import type { StoredWeight } from './linear';
import {
  CODES_PER_BYTE,
  columnPieces,
  rowPieces,
  whole,
  type PackedLayout,
  type Parts,
} from './packedLayout';
import type { Piece, Range } from './packedLayout';

/** A packed weight in a function; `read` gives the value of a variable. */
export function packedWeight(
  layout: PackedLayout,
  read: (variable: Variable) => Value,
  dtype: ComputeDType,
): StoredWeight {
  const { codes, scales, nested } = layout.variables;
  const parts: Parts<Value> = { codes: read(codes), scales: read(scales), nested: nested && read(nested) };
  const open = (ops: Ops, after?: Value): Unpack => {
    const wait = (value: Value, earlier?: Value): Value => (earlier ? ops.barrier(value, earlier) : value);
    const scales = blockScales(ops, layout, { ...parts, scales: wait(parts.scales, after) });
    return (piece, previous) =>
      unpackPiece(ops, layout, { codes: wait(parts.codes, previous), scales }, piece, dtype);
  };
  return {
    dense: (ops, after) => open(ops, after)(whole(layout), after),
    multiply(ops, x) {
      const [y] = ops.custom([x], (base) => ({
        outputs: [products(base, x, rowPieces(layout), open(base, x), { transposeB: true })],
        // Unpacked again, so that nothing but codes is there between the two passes.
        backward: (back, [g]) => [products(back, g!, columnPieces(layout), open(back, g!))],
      }));
      return y;
    },
  };
}

/** A piece of the matrix, computed no earlier than `after` is there. */
type Unpack = (piece: Piece, after?: Value) => Value;

/**
 * x [n, in] by rows of W -> x Wᵀ [n, out]; g [n, out] by columns of W -> g W [n, in], every sum in one product. Each piece waits
 * for the product of the one before: its memory is free then.
 */
function products(
  ops: Ops,
  x: Value,
  pieces: readonly Piece[],
  unpack: Unpack,
  options?: MatMulOptions,
): Value {
  let after = x;
  const parts = pieces.map((piece) => {
    after = ops.matMul(x, unpack(piece, after), options);
    return after;
  });
  return ops.concat(parts, 1);
}

/** A piece in `dtype`; `parts.scales` are those of the blocks. Products in float32, rounded, then cast. */
function unpackPiece(
  ops: Ops,
  { shape, isTiled, levels, blockSize, rounding }: PackedLayout,
  parts: Pick<Parts<Value>, 'codes' | 'scales'>,
  { rows, columns }: Piece,
  dtype: ComputeDType,
): Value {
  const width = Math.min(blockSize, columns.count);
  const blocks = columns.count / width;
  const inputs = [
    window(ops, parts.codes, rows, scaled(columns, levels ? CODES_PER_BYTE : 1)),
    window(ops, parts.scales, rows, { start: Math.floor(columns.start / blockSize), count: blocks }),
  ];
  const [values] = ops.fuse(
    'unpack_weight',
    inputs,
    (body, [codes, factors]) => {
      const numbers = levels
        ? body.gather(
            body.constant(pairsOf(levels), [256, CODES_PER_BYTE], 'float32'),
            body.cast(codes, 'int32'),
          )
        : body.cast(codes, 'float32');
      const product = body.mul(
        body.reshape(numbers, [rows.count, blocks, width]),
        body.reshape(factors, [rows.count, blocks, 1]),
      );
      return [body.reshape(body.cast(body.cast(product, rounding), dtype), [rows.count, columns.count])];
    },
    { always: true },
  );
  if (isTiled) return values;
  const flat = ops.slice(ops.reshape(values, [columns.count]), [0], [sizeOf(shape)]);
  return ops.reshape(flat, shape);
}

/** The scale of every block, float32 as the matrix is stored. */
function blockScales(ops: Ops, { stored, blockSize, nested }: PackedLayout, parts: Parts<Value>): Value {
  if (!nested || !parts.nested) return parts.scales;
  const [groups] = parts.nested.shape;
  const [products] = ops.fuse(
    'unpack_scales',
    [parts.scales, parts.nested],
    (body, [codes, factors]) => {
      const table = body.constant(DYNAMIC_LEVELS, [DYNAMIC_LEVELS.length], 'float32');
      const levels = body.reshape(body.gather(table, body.cast(codes, 'int32')), [groups, nested.blockSize]);
      return [body.mul(levels, body.reshape(factors, [groups, 1]))];
    },
    { always: true },
  );
  // Not in the loop: the compiler would make one multiply-add of both, which rounds once where the format's definition rounds twice.
  const scales = ops.add(products, ops.scalar(nested.offset, 'float32'));
  const shape = [stored[0], stored[1] / blockSize];
  const flat = ops.reshape(scales, [groups * nested.blockSize]);
  return ops.reshape(
    sizeOf(flat.shape) === sizeOf(shape) ? flat : ops.slice(flat, [0], [sizeOf(shape)]),
    shape,
  );
}

/** Numbers of every byte of two codes, the high nibble first. */
function pairsOf(levels: Float32Array): Float32Array {
  return Float32Array.from({ length: 512 }, (_, i) => levels[i % 2 === 0 ? i >> 5 : (i >> 1) & 15]);
}

function scaled({ start, count }: Range, by: number): Range {
  return { start: start / by, count: count / by };
}

/** A part of a matrix. */
function window(ops: Ops, x: Value, rows: Range, columns: Range): Value {
  if (rows.count === x.shape[0] && columns.count === x.shape[1]) return x;
  return ops.slice(x, [rows.start, columns.start], [rows.count, columns.count]);
}
