import type { Ops, Value } from '../backend/ops';
import { applyLora, type LoraWeights } from './lora';

/** Weights of y = x Wᵀ + b. */
export interface LinearWeights {
  /** [out, in] */
  weight: Value;
  /** [out] */
  bias: Value | null;
  lora: LoraWeights | null;
}

/** x [n, in] -> [n, out]. */
export function linear(ops: Ops, x: Value, { weight, bias, lora }: LinearWeights): Value {
  const product = ops.matMul(x, weight, { transposeB: true });
  const base = bias ? ops.biasAdd(product, bias) : product;
  return lora ? ops.add(base, applyLora(ops, x, lora)) : base;
}
