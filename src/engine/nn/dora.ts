import type { Ops, Value } from '../backend/ops';
import type { StoredWeight } from './linear';
import { drop, lowRank, type LoraWeights } from './lora';

/**
 * What weight-decomposed adaptation (Liu et al. 2024, https://arxiv.org/abs/2402.09353) adds to a linear layer, as PEFT computes it:
 * (f − 1)·(x Wᵀ) + f·scale·B(A(x)) with f = magnitude / ‖W + scale·BA‖ per row, the norm taken as a constant. Dropout takes x in both
 * terms, so that it costs a second product with W.
 *
 * @param product x Wᵀ [n, out], without bias
 * @returns [n, out], to be added to the layer's output
 */
export function applyDora(
  ops: Ops,
  x: Value,
  product: Value,
  lora: LoraWeights & { magnitude: Value },
  weight: StoredWeight,
): Value {
  const input = lora.dropout ? drop(ops, x, lora.dropout) : x;
  const base = lora.dropout ? weight.multiply(ops, input) : product;
  const factor = ops.div(lora.magnitude, constantNorm(ops, x, lora, weight));
  const row = (value: Value): Value => ops.reshape(ops.cast(value, x.dtype), [1, value.shape[0]]);
  // f is near 1: its distance from 1 is rounded to the compute dtype, not f itself.
  const distance = ops.sub(factor, ops.scalar(1, 'float32'));
  return ops.add(ops.mul(base, row(distance)), ops.mul(lowRank(ops, input, lora), row(factor)));
}

/** ‖W + scale·BA‖ of every row, float32 [out], without a derivative. The sum exists only while it is computed, layer by layer. */
function constantNorm(ops: Ops, after: Value, lora: LoraWeights, weight: StoredWeight): Value {
  const [norm] = ops.custom([lora.a, lora.b], (base) => ({
    outputs: [doraNorm(base, weight.dense(base, after), lora, after)],
    backward: () => [null, null],
  }));
  return norm;
}

/**
 * ‖W + scale·BA‖ of every row in float32: the magnitude that leaves a layer as it is.
 * @param weight [out, in]
 * @param after nothing is computed before this value is there: otherwise the sums of all layers would exist at once
 * @returns [out]
 */
export function doraNorm(
  ops: Ops,
  weight: Value,
  { a, b, scale }: Pick<LoraWeights, 'a' | 'b' | 'scale'>,
  after?: Value,
): Value {
  const wide = (value: Value): Value => ops.cast(after ? ops.barrier(value, after) : value, 'float32');
  const delta = ops.matMul(ops.mul(wide(b), ops.scalar(scale, 'float32')), wide(a));
  return ops.sqrt(ops.sum(ops.square(ops.add(wide(weight), delta)), [1]));
}
