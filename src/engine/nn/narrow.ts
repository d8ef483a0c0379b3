/**
 * Weights that lie in memory in fewer bits than they are multiplied in: bfloat16 on a processor that has no instructions for it. A
 * linear layer's are widened at each use, forward and backward, a piece at a time, so that only one piece exists in both widths.
 */
import type { MatMulOptions, Ops, Value } from '../backend/ops';
import type { ComputeDType } from '../types';
import type { StoredWeight } from './linear';

/** Most values of a piece: 24 MiB as float32. glibc keeps up to 32 MiB for the next who asks; more goes back to the system each time. */
const PIECE_SIZE = 6 * 2 ** 20;

/** A stored matrix [out, in] that is used in `dtype`. */
export function narrowWeight(stored: Value, dtype: ComputeDType): StoredWeight {
  return {
    dense: (ops, after) => ops.cast(after ? ops.barrier(stored, after) : stored, dtype),
    multiply(ops, x) {
      // Decoding: the kernel of a layer takes the widening into its product.
      if (x.shape[0] === 1) return ops.matMul(x, ops.cast(stored, dtype), { transposeB: true });
      const [y] = ops.custom([x], (base) => ({
        outputs: [products(base, x, stored, 0, { transposeB: true })],
        backward: (back, [g]) => [products(back, g!, stored, 1)],
      }));
      return y;
    },
  };
}

/** A weight in the dtype of x, computed no earlier than x. */
export function widened(ops: Ops, weight: Value, x: Value): Value {
  return weight.dtype === x.dtype ? weight : ops.cast(ops.barrier(weight, x), x.dtype);
}

/**
 * x by the rows (axis 0) or columns (axis 1) of a stored matrix, the results side by side. Each piece waits for the product of the
 * one before: its memory is free then.
 */
function products(ops: Ops, x: Value, stored: Value, axis: 0 | 1, options?: MatMulOptions): Value {
  const other = stored.shape[1 - axis];
  const size = Math.ceil(stored.shape[axis] / Math.ceil((stored.shape[axis] * other) / PIECE_SIZE));
  const parts: Value[] = [];
  for (let start = 0; start < stored.shape[axis]; start += size) {
    const count = Math.min(size, stored.shape[axis] - start);
    const weight = ops.barrier(stored, parts.at(-1) ?? x);
    const piece =
      axis === 0
        ? ops.slice(weight, [start, 0], [count, other])
        : ops.slice(weight, [0, start], [other, count]);
    parts.push(ops.matMul(x, ops.cast(piece, x.dtype), options));
  }
  return ops.concat(parts, 1);
}
