import type { Ops, Value } from '../backend/ops';

/** Number of rows and tokens of a pass. */
export interface PassSize {
  batch: number;
  length: number;
}

/** x [b·t, heads·d] -> [b, heads, t, d]. */
export function splitHeads(ops: Ops, x: Value, { batch, length }: PassSize, heads: number): Value {
  const d = x.shape[1] / heads;
  return ops.transpose(ops.reshape(x, [batch, length, heads, d]), [0, 2, 1, 3]);
}

/** A fused projection [b·t, heads·3d] that is laid out q | k | v within each head -> three [b, heads, t, d]. */
export function splitPerHead(ops: Ops, fused: Value, size: PassSize, heads: number): [Value, Value, Value] {
  const perHead = splitHeads(ops, fused, size, heads);
  const d = perHead.shape[3] / 3;
  const [q, k, v] = ops.split(perHead, [d, d, d], 3);
  return [q, k, v];
}
