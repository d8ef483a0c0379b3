/** Attention of one new token a row over earlier ones that lie elsewhere. */
import type { Ops, Value } from '../backend/ops';

/** What a row's new token brings: q [b, heads, 1, d], k and v [b, groups, 1, d]; the scores' scale is already in q and k. */
export interface NewToken {
  q: Value;
  k: Value;
  v: Value;
}

/**
 * softmax([q Kᵀ + mask, q·k]) [V; v], without joining what is new to what is there. Scores and sums in float32.
 *
 * Past keys and values [b, groups, keys, d], mask [b, 1, 1, keys] -> [b, heads·d].
 */
export function attendPast(
  ops: Ops,
  { q, k, v }: NewToken,
  past: { keys: Value; values: Value },
  mask: Value,
): Value {
  const [batch, heads, , d] = q.shape;
  const [, groups, keys] = past.keys.shape;
  const shared = heads / groups;
  const wide = (x: Value): Value => ops.cast(x, 'float32');
  const byGroup = (x: Value, rows: number): Value => ops.reshape(x, [batch * groups, rows, d]);
  const queries = byGroup(q, shared);
  const products = wide(ops.batchMatMul(queries, byGroup(past.keys, keys), { transposeB: true }));
  const scores = ops.add(ops.reshape(products, [batch, heads, 1, keys]), wide(mask));
  const old = ops.reshape(scores, [batch * groups, shared, keys]);
  const own = ops.sum(ops.mul(wide(queries), wide(byGroup(k, 1))), [2], true);
  // The maximum of both, so that neither exponential overflows.
  const shift = ops.max(ops.concat([ops.max(old, [2], true), own], 2), [2], true);
  const oldWeights = ops.exp(ops.sub(old, shift));
  const ownWeight = ops.exp(ops.sub(own, shift));
  const total = ops.add(ops.sum(oldWeights, [2], true), ownWeight);
  const before = ops.batchMatMul(ops.cast(ops.div(oldWeights, total), q.dtype), byGroup(past.values, keys));
  const added = ops.mul(ops.div(ownWeight, total), wide(byGroup(v, 1)));
  return ops.reshape(ops.cast(ops.add(wide(before), added), q.dtype), [batch, heads * d]);
}
