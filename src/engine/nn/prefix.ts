import type { DType, Ops, Value } from '../backend/ops';
import { drop, type Dropout } from './lora';

/** The trained tensors of a prefix encoder (Liu et al. 2021, https://arxiv.org/abs/2110.07602), float32. */
export interface PrefixEncoder {
  /** [entries, width], or the projection's input [entries, in]. */
  embedding: Value;
  projection: {
    /** [inner, in] */
    innerWeight: Value;
    innerBias: Value;
    /** [width, inner] */
    outerWeight: Value;
    outerBias: Value;
  } | null;
}

export interface PrefixLayout {
  layers: number;
  /** Key/value heads and channels of each. */
  groups: number;
  headDim: number;
}

export interface PrefixOptions extends PrefixLayout {
  batch: number;
  /** Of the result. */
  dtype: DType;
  /** Different for every row of the batch; the seed is changed for every layer. Null while nothing is dropped. */
  dropout: Dropout | null;
}

/** What stands before the keys and values of a layer: [batch, groups, entries, headDim] each, keys scaled for `attention`. */
export interface PrefixKeyValues {
  keys: Value;
  values: Value;
}

/** The encoder's result, float32 [entries, layers·2·groups·headDim]: the table, or tanh(table·inner)·outer. */
export function encodePrefix(ops: Ops, { embedding, projection }: PrefixEncoder): Value {
  if (!projection) return embedding;
  const { innerWeight, innerBias, outerWeight, outerBias } = projection;
  const inner = ops.tanh(ops.biasAdd(ops.matMul(embedding, innerWeight, { transposeB: true }), innerBias));
  return ops.biasAdd(ops.matMul(inner, outerWeight, { transposeB: true }), outerBias);
}

/**
 * Keys and values of every layer, in the order of the layers. Computed in float32 and rounded last. The scale of attention scores is
 * d^-¼ on queries and on keys alike (`rotary` folds it in), and prefix keys are not rotated, so it is put on them here.
 */
export function prefixKeyValues(ops: Ops, encoder: PrefixEncoder, options: PrefixOptions): PrefixKeyValues[] {
  const { layers, groups, headDim, dropout } = options;
  const encoded = encodePrefix(ops, encoder);
  const entries = encoded.shape[0];
  const byLayer = ops.transpose(ops.reshape(encoded, [entries, layers, 2, groups, headDim]), [1, 2, 3, 0, 4]);
  const parts = ops.split(
    ops.reshape(byLayer, [layers, 2 * groups, entries, headDim]),
    Array<number>(layers).fill(1),
    0,
  );
  return parts.map((part, layer) => {
    const seed = dropout && ops.add(dropout.seed, ops.constant(Int32Array.of(0, layer), [2], 'int32'));
    const rows = forBatch(ops, part, options, seed);
    const [keys, values] = ops.split(rows, [groups, groups], 1);
    const scaled = ops.mul(keys, ops.scalar(Math.pow(headDim, -0.25), 'float32'));
    return { keys: ops.cast(scaled, options.dtype), values: ops.cast(values, options.dtype) };
  });
}

/** [1, ...] -> [batch, ...], each row dropped on its own. */
function forBatch(ops: Ops, part: Value, { batch, dropout }: PrefixOptions, seed: Value | null): Value {
  const rows =
    batch === 1 ? part : ops.add(part, ops.constant(new Float32Array(batch), [batch, 1, 1, 1], 'float32'));
  return dropout && seed ? drop(ops, rows, { rate: dropout.rate, seed }) : rows;
}
