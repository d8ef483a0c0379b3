import type { DType, Ops, Value } from '../backend/ops';

/** Added to scores of keys that a query must not see; its exponential is 0, also beside float16's largest scores. */
function hidden(dtype: DType): number {
  return dtype === 'float16' ? -6e4 : -1e30;
}

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
    const scores = base.reshape(base.batchMatMul(q3, k3, { transposeB: true }), [batch, heads, length, keys]);
    // The exponentials are slower and less exact in bfloat16.
    const wide = base.softmax(base.cast(base.add(scores, mask), 'float32'));
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

/** The same for a layer: q [b, heads, t, d] -> [b·t, heads·d]. */
export function attendHeads(ops: Ops, q: Value, k: Value, v: Value, mask: Value): Value {
  const [batch, heads, length, d] = q.shape;
  const context = ops.transpose(attention(ops, q, k, v, mask), [0, 2, 1, 3]);
  return ops.reshape(context, [batch * length, heads * d]);
}

/**
 * Additive mask: query i sees key j where key[j] <= query[i] and, with segments, both are of one segment (packed rows).
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
  return ops.select(visible, ops.scalar(0, dtype), ops.scalar(hidden(dtype), dtype));
}

/** A mask [b, 1, t, keys] with `count` columns before it that every query sees. */
export function withPrefixColumns(ops: Ops, mask: Value, count: number): Value {
  const [batch, , length] = mask.shape;
  const zeros = new Float32Array(batch * length * count);
  return ops.concat([ops.constant(zeros, [batch, 1, length, count], mask.dtype), mask], 3);
}
