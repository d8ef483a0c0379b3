import type { DType, Ops, Value } from '../backend/ops';

/**
 * Rotary position embedding (Su et al. 2021, https://arxiv.org/abs/2104.09864) over interleaved pairs of the first `channels`
 * of each head; the other channels pass through.
 */
export interface Rotary {
  /** [b, 1, t, d], attention's 1/√d folded in as d^-¼ on queries and keys alike. */
  cos: Value;
  sin: Value;
  /** [d, d]: x · turn is x with each pair (a, b) as (−b, a). */
  turn: Value;
}

export interface RotaryOptions {
  headDim: number;
  /** How many channels rotate; even. */
  channels: number;
  base: number;
  dtype: DType;
}

/** positions int32 [b, t]. Angles are computed in float32, cosines rounded to `dtype`. */
export function rotary(
  ops: Ops,
  positions: Value,
  { headDim, channels, base, dtype }: RotaryOptions,
): Rotary {
  const [batch, length] = positions.shape;
  const frequencies = new Float32Array(headDim);
  const turn = new Float32Array(headDim * headDim);
  for (let j = 0; j < channels; j += 2) {
    frequencies[j] = frequencies[j + 1] = 1 / Math.pow(base, j / channels);
    turn[(j + 1) * headDim + j] = -1;
    turn[j * headDim + j + 1] = 1;
  }
  const places = ops.reshape(ops.cast(positions, 'float32'), [batch, 1, length, 1]);
  const angles = ops.mul(places, ops.constant(frequencies, [1, 1, 1, headDim], 'float32'));
  const scale = ops.scalar(Math.pow(headDim, -0.25), 'float32');
  return {
    cos: ops.cast(ops.mul(ops.cos(angles), scale), dtype),
    sin: ops.cast(ops.mul(ops.sin(angles), scale), dtype),
    turn: ops.constant(turn, [headDim, headDim], dtype),
  };
}

/** x [b, heads, t, d]; linear in x, so the derivative is the opposite rotation. */
export function rotate(ops: Ops, x: Value, { cos, sin, turn }: Rotary): Value {
  const [y] = ops.custom([x], (base) => ({
    outputs: [base.add(base.mul(x, cos), base.mul(timesMatrix(base, x, turn, false), sin))],
    backward: (back, [g]) => [back.add(back.mul(g!, cos), timesMatrix(back, back.mul(g!, sin), turn, true))],
  }));
  return y;
}

/** x [..., d] times a [d, d] matrix. */
function timesMatrix(ops: Ops, x: Value, matrix: Value, transposeB: boolean): Value {
  const d = x.shape[x.shape.length - 1];
  const rows = x.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  return ops.reshape(ops.matMul(ops.reshape(x, [rows, d]), matrix, { transposeB }), x.shape);
}
