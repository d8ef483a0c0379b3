import type { Ops, Value } from '../backend/ops';
import type { StoredWeight } from './linear';
import { lowRank, type LoraWeights } from './lora';

/**
 * W − scale·B₀A₀: what an adapter that took over parts of a weight (PiSSA) leaves of it. The difference is made of products, not
 * stored: W may be packed, and where the adapter still has its first values the layer computes W x.
 */
export function residualWeight(
  weight: StoredWeight,
  first: Pick<LoraWeights, 'a' | 'b' | 'scale'>,
): StoredWeight {
  return {
    multiply: (ops, x) => ops.sub(weight.multiply(ops, x), lowRank(ops, x, first)),
    dense(ops: Ops, after?: Value): Value {
      const late = (value: Value): Value => (after ? ops.barrier(value, after) : value);
      const scaled = ops.mul(late(first.b), ops.scalar(first.scale, first.b.dtype));
      return ops.sub(weight.dense(ops, after), ops.matMul(scaled, late(first.a)));
    },
  };
}
