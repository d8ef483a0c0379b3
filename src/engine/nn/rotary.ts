import { roundTo } from '../../checkpoint/narrow';
import type { DType, Ops, Value } from '../backend/ops';

/**
 * How a head's channels turn (rotary position embedding, Su et al. 2021, https://arxiv.org/abs/2104.09864): channels in pairs, each
 * pair by position · frequency. Channels of no pair pass through.
 */
export interface RotaryPair {
  /** The two channels (a, b): a' = a·cos − b·sin, b' = b·cos + a·sin. */
  channels: readonly [number, number];
  /** Radians per position. */
  frequency: number;
  /** Which stream of positions drives it. */
  stream: number;
}

export interface RotaryOptions {
  headDim: number;
  pairs: readonly RotaryPair[];
  /** Positions are divided by this before anything else. */
  interpolation?: number;
  dtype: DType;
}

/** A head's rotation at given positions. */
export interface Rotary {
  /** [b, 1, t, d], attention's 1/√d folded in as d^-¼ on queries and keys alike. */
  cos: Value;
  sin: Value;
  /** [d, d]: x · turn is x with each pair (a, b) as (−b, a). */
  turn: Value;
}

/** 1 / base^(2j/channels), rounded to float32 at each step as the reference implementations do. */
export function frequencies(base: number, channels: number): number[] {
  return Array.from({ length: channels / 2 }, (_, j) => {
    const power = Math.fround(Math.pow(base, Math.fround((2 * j) / channels)));
    return Math.fround(1 / power);
  });
}

/** The same table, stored as float16. */
export function halfFrequencies(base: number, channels: number): number[] {
  return [...roundTo(Float32Array.from(frequencies(base, channels)), 'F16')];
}

/** Neighbours as pairs: (0, 1), (2, 3), ... */
export function interleavedPairs(table: readonly number[]): RotaryPair[] {
  return table.map((frequency, j) => ({ channels: [2 * j, 2 * j + 1], frequency, stream: 0 }));
}

/** Halves as pairs, from channel `first` on: (0, n), (1, n + 1), ... for n pairs. */
export function halvedPairs(table: readonly number[], first: number, stream: number): RotaryPair[] {
  return table.map((frequency, j) => ({
    channels: [first + j, first + table.length + j],
    frequency,
    stream,
  }));
}

/** positions int32 [b, t], one per stream. Angles are computed in float32, cosines rounded to `dtype`. */
export function rotary(
  ops: Ops,
  positions: readonly Value[],
  { headDim, pairs, interpolation = 1, dtype }: RotaryOptions,
): Rotary {
  const speeds = positions.map(() => new Float32Array(headDim));
  const turn = new Float32Array(headDim * headDim);
  for (const { channels, frequency, stream } of pairs) {
    const [a, b] = channels;
    speeds[stream][a] = speeds[stream][b] = frequency;
    turn[b * headDim + a] = -1;
    turn[a * headDim + b] = 1;
  }
  // A channel has one stream, so the sum over streams adds nothing but zeros.
  const angles = positions
    .map((stream, i) => streamAngles(ops, stream, speeds[i], interpolation))
    .reduce((sum, part) => ops.add(sum, part));
  const scale = ops.scalar(Math.pow(headDim, -0.25), 'float32');
  return {
    cos: ops.cast(ops.mul(ops.cos(angles), scale), dtype),
    sin: ops.cast(ops.mul(ops.sin(angles), scale), dtype),
    turn: ops.constant(turn, [headDim, headDim], dtype),
  };
}

/** [b, t] and [d] -> [b, 1, t, d]. */
function streamAngles(ops: Ops, positions: Value, speeds: Float32Array, interpolation: number): Value {
  const [batch, length] = positions.shape;
  const whole = ops.reshape(ops.cast(positions, 'float32'), [batch, 1, length, 1]);
  const places = interpolation === 1 ? whole : ops.div(whole, ops.scalar(interpolation, 'float32'));
  return ops.mul(places, ops.constant(speeds, [1, 1, 1, speeds.length], 'float32'));
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
