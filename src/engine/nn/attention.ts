import type { DType, Ops, Value } from '../backend/ops';

/** Added to scores of keys that a query must not see; its exponential is 0 in every dtype that masks have. */
const HIDDEN = -1e30;

/** Float16 ends at 65504, which scores of real models may pass: they are computed smaller by this and widened before they grow again. */
const FLOAT16_HEADROOM = 1 / 64;

/**
 * Grouped-query attention (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245): softmax(q kᵀ + mask) v. The scores' scale is
 * already in q and k. Keys and values are not repeated per head: the heads of a group stand in the rows of one product.
 *
 * q [b, heads, t, d], k and v [b, groups, keys, d], mask broadcastable to [b, 1, t, keys] -> [b, heads, t, d].
 */
export function attention(ops: Ops, q: Value, k: Value, v: Value, mask: Value): Value {
  const [batch, heads, length, d] = q.shape;
  const [, groups, keys] = k.shape;
  const rows = (heads / groups) * length;
  const byGroup = (o: Ops, x: Value, n: number): Value => o.reshape(x, [batch * groups, n, d]);
  const [output] = ops.custom([q, k, v], (base) => {
    const [q3, k3, v3] = [byGroup(base, q, rows), byGroup(base, k, keys), byGroup(base, v, keys)];
    const scoresShape = [batch, heads, length, keys];
    const wide = base.softmax(maskedScores(base, q3, k3, mask, scoresShape));
    const p = base.reshape(base.cast(wide, q.dtype), [batch * groups, rows, keys]);
    const o3 = base.batchMatMul(p, v3);
    return {
      outputs: [base.reshape(o3, q.shape)],
      backward(back, [g]) {
        const g3 = byGroup(back, g!, rows);
        // Σ P·dP per row equals Σ dO·O: one narrow product instead of a wide one.
        const delta = back.sum(back.mul(g3, o3), [2], true);
        const dScores = back.mul(p, back.sub(back.batchMatMul(g3, v3, { transposeB: true }), delta));
        return [
          back.reshape(back.batchMatMul(dScores, k3), q.shape),
          back.reshape(back.batchMatMul(dScores, q3, { transposeA: true }), k.shape),
          back.reshape(back.batchMatMul(p, g3, { transposeA: true }), v.shape),
        ];
      },
    };
  });
  return output;
}

/** q kᵀ + mask in float32: the exponentials of narrower numbers are slower and less exact. */
function maskedScores(ops: Ops, q: Value, k: Value, mask: Value, shape: readonly number[]): Value {
  const product = (x: Value): Value => ops.reshape(ops.batchMatMul(x, k, { transposeB: true }), shape);
  if (q.dtype !== 'float16') return ops.cast(ops.add(product(q), mask), 'float32');
  const small = product(ops.mul(q, ops.scalar(FLOAT16_HEADROOM, 'float16')));
  const scores = ops.mul(ops.cast(small, 'float32'), ops.scalar(1 / FLOAT16_HEADROOM, 'float32'));
  return ops.add(scores, ops.cast(mask, 'float32'));
}

/** The dtype of masks: what hides a key is beyond float16. */
function maskDType(dtype: DType): DType {
  return dtype === 'float16' ? 'float32' : dtype;
}

/** The same for a layer: q [b, heads, t, d] -> [b·t, heads·d]. */
export function attendHeads(ops: Ops, q: Value, k: Value, v: Value, mask: Value): Value {
  const [batch, heads, length, d] = q.shape;
  const context = ops.transpose(attention(ops, q, k, v, mask), [0, 2, 1, 3]);
  return ops.reshape(context, [batch * length, heads * d]);
}

/**
 * Additive mask for scores in `dtype`: query i sees key j where key[j] <= query[i] and, with segments, both are of one segment (packed rows).
 * Orders and segments int32 [b or 1, t] and [b, keys] -> [b, 1, t, keys].
 */
export function visibilityMask(
  ops: Ops,
  order: { query: Value; key: Value },
  segments: { query: Value; key: Value } | null,
  dtype: DType,
): Value {
  const column = (x: Value): Value => ops.reshape(x, [x.shape[0], 1, x.shape[1], 1]);
  const row = (x: Value): Value => ops.reshape(x, [x.shape[0], 1, 1, x.shape[1]]);
  const ordered = ops.lessEqual(row(order.key), column(order.query));
  const visible = segments
    ? ops.logicalAnd(ordered, ops.equal(row(segments.key), column(segments.query)))
    : ordered;
  const kind = maskDType(dtype);
  return ops.select(visible, ops.scalar(0, kind), ops.scalar(HIDDEN, kind));
}

/** A mask [b, 1, t, keys] with `count` columns before it that every query sees. */
export function withPrefixColumns(ops: Ops, mask: Value, count: number): Value {
  const [batch, , length] = mask.shape;
  const zeros = new Float32Array(batch * length * count);
  return ops.concat([ops.constant(zeros, [batch, 1, length, count], mask.dtype), mask], 3);
}
