import type { Ops, Value } from '../backend/ops';
import { applyDora } from './dora';
import { applyLora, type LoraWeights } from './lora';
import { residualWeight } from './residual';

/** The weight [out, in] of a linear layer, whatever it is stored as. */
export interface StoredWeight {
  /** x [n, in] -> x Wᵀ [n, out], in the dtype of x. */
  multiply(ops: Ops, x: Value): Value;
  /** The matrix in the compute dtype. A packed one is unpacked anew, no earlier than `after` is there. */
  dense(ops: Ops, after?: Value): Value;
}

/** Parts of y = x Wᵀ + b. */
export interface LinearWeights {
  weight: StoredWeight;
  /** [out] */
  bias: Value | null;
  lora: LoraWeights | null;
}

/** A weight that lies in memory as it is used. */
export function denseWeight(weight: Value): StoredWeight {
  return {
    multiply: (ops, x) => ops.matMul(x, weight, { transposeB: true }),
    dense: () => weight,
  };
}

/** x [n, in] -> [n, out]. */
export function linear(ops: Ops, x: Value, { weight: stored, bias, lora }: LinearWeights): Value {
  const weight = lora?.initial ? residualWeight(stored, { ...lora.initial, scale: lora.scale }) : stored;
  const product = weight.multiply(ops, x);
  const base = bias ? ops.biasAdd(product, bias) : product;
  if (!lora) return base;
  const { magnitude } = lora;
  const added = ops.scope('adapter', () =>
    magnitude ? applyDora(ops, x, product, { ...lora, magnitude }, weight) : applyLora(ops, x, lora),
  );
  return ops.add(base, added);
}
