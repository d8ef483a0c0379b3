import type { Ops, Value } from '../backend/ops';

/** Sets its random numbers apart from those of dropout, which count up from 0. */
const STREAM = 0x6e656674;

/**
 * Noise on the embeddings while training (NEFTune, Jain et al. 2023, https://arxiv.org/abs/2310.05914): uniform in
 * ±alpha / √(L · d) for a row of L tokens of d channels. L counts the row's own tokens, as in the authors' code, not its padding.
 *
 * x float32 [b·t, d], lengths float32 [b], seed int32 [2] -> [b·t, d]; the derivative passes through.
 */
export function addNoise(ops: Ops, x: Value, alpha: number, lengths: Value, seed: Value): Value {
  const [tokens, channels] = x.shape;
  const [batch] = lengths.shape;
  const stream = ops.add(seed, ops.constant(Int32Array.of(0, STREAM), [2], 'int32'));
  const uniform = ops.randomUniform([batch, (tokens / batch) * channels], stream);
  const noise = ops.sub(ops.mul(uniform, ops.scalar(2, 'float32')), ops.scalar(1, 'float32'));
  const bound = ops.mul(ops.rsqrt(lengths), ops.scalar(alpha / Math.sqrt(channels), 'float32'));
  return ops.add(x, ops.reshape(ops.mul(noise, ops.reshape(bound, [batch, 1])), x.shape));
}
