import type { Ops, Value } from '../backend/ops';

/**
 * Low-rank adapter of a linear layer (Hu et al. 2021, https://arxiv.org/abs/2106.09685), in PEFT's semantics:
 * scale · B(A(dropout(x))).
 */
export interface LoraWeights {
  /** [r, in] */
  a: Value;
  /** [out, r] */
  b: Value;
  /**
   * Frozen matrices that are taken off the weight (`residualWeight`): where PiSSA's adapter began, so that the weight itself stays as
   * the file has it.
   */
  initial: { a: Value; b: Value } | null;
  /** DoRA's length of each row of the adapted weight, float32 [out]; null: plain LoRA. */
  magnitude: Value | null;
  /** lora_alpha / r, or lora_alpha / √r with rsLoRA. */
  scale: number;
  /** Null while nothing is dropped (evaluation, generation, rate 0). */
  dropout: Dropout | null;
}

export interface Dropout {
  rate: number;
  /** int32 [2]; differs for every layer and micro-batch. */
  seed: Value;
}

/** x [n, in] -> [n, out]. Plain LoRA; see `applyDora` for adapters with a magnitude. */
export function applyLora(ops: Ops, x: Value, lora: LoraWeights): Value {
  return lowRank(ops, lora.dropout ? drop(ops, x, lora.dropout) : x, lora);
}

/** scale · B(A(x)) of an input that has been through dropout already. */
export function lowRank(ops: Ops, x: Value, { a, b, scale }: Pick<LoraWeights, 'a' | 'b' | 'scale'>): Value {
  const down = ops.mul(ops.matMul(x, a, { transposeB: true }), ops.scalar(scale, x.dtype));
  return ops.matMul(down, b, { transposeB: true });
}

/** Zeroes elements with probability `rate` and scales the others by 1 / (1 - rate). */
export function drop(ops: Ops, x: Value, { rate, seed }: Dropout): Value {
  const kept = ops.lessEqual(ops.scalar(rate, 'float32'), ops.randomUniform(x.shape, seed));
  const factor = ops.select(kept, ops.scalar(1 / (1 - rate), x.dtype), ops.scalar(0, x.dtype));
  return ops.mul(x, factor);
}
