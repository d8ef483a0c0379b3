/** What every model family gives the trainer and the generator. */
import type { ModelConfig } from '../../checkpoint/types';
import type { Ops, Value } from '../backend/ops';
import type { LoraWeights } from '../nn/lora';
import type { ComputeDType } from '../types';

/** Where keys and values of earlier tokens are kept while generating. */
export interface KeyValueStore {
  /** Stores the new keys and values [b, groups, t, d] of a layer and returns all of them [b, groups, keys, d]. */
  extend(layer: number, keys: Value, values: Value): { keys: Value; values: Value };
}

/** Everything a forward pass needs besides its input. */
export interface Forward {
  ops: Ops;
  dtype: ComputeDType;
  /** A parameter by its checkpoint name: matrices and biases in `dtype`, norms in float32. */
  parameter(name: string): Value;
  /** The adapter of a linear layer, by its module path. */
  lora(module: string): LoraWeights | null;
  /** int32 [b, t] */
  positions: Value;
  /** Added to attention scores, broadcastable to [b, 1, t, keys]; in `dtype`. */
  mask: Value;
  /** Null in training: keys and values are those of the pass itself. */
  store: KeyValueStore | null;
}

/** Per-pass values that every layer shares (rotary tables). */
export type Shared = Readonly<Record<string, Value>>;

/** A decoder as a chain of blocks, so that the trainer can recompute them one by one. */
export interface DecoderModel {
  readonly config: ModelConfig;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  /** Longest sequence the position table allows. */
  readonly maxLength: number;
  /** Key/value heads and channels per head: the size of the cache. */
  readonly groups: number;
  readonly headDim: number;
  /** Checkpoint name of the output layer's weight [vocab, hidden]. */
  readonly outputWeight: string;
  /** Whether a parameter is kept in float32 in every compute dtype (norms). */
  isNorm(name: string): boolean;
  shared(forward: Forward): Shared;
  /** ids int32 [b, t] -> [b·t, hidden] float32. */
  embed(forward: Forward, ids: Value): Value;
  /** x [b·t, hidden] float32 -> the same shape. */
  block(forward: Forward, shared: Shared, x: Value, layer: number): Value;
  /** Final norm: [n, hidden] float32 -> [n, hidden] in the compute dtype. */
  finish(forward: Forward, x: Value): Value;
}
