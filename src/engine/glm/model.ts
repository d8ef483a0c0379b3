/** What every model family gives the trainer and the generator. */
import type { ModelStructure } from '../../checkpoint/structure';
import type { ModelConfig } from '../../checkpoint/types';
import type { Ops, Value } from '../backend/ops';
import type { ComputeDType } from '../types';

/** Where the tokens of one sequence stand; a function of its ids, so that prompts and training rows agree. */
export interface Places {
  /** Rotary positions [t], one array per stream. */
  streams: readonly Int32Array[];
  /** Query i sees key j where `keyOrder[j] <= i`; j itself in a causal model. */
  keyOrder: Int32Array;
}

/** Everything a forward pass needs besides its input. */
export interface Forward {
  ops: Ops;
  dtype: ComputeDType;
  /** Rotary positions int32 [b, t], one per stream. */
  positions: readonly Value[];
  /** A parameter by its checkpoint name: matrices and biases in `dtype`, norms in float32. */
  parameter(name: string): Value;
  /**
   * A linear layer by its module path, with its bias if it has one, its adapter, and whatever its weight is stored as:
   * x [n, in] in `dtype` -> [n, out].
   */
  linear(module: string, x: Value): Value;
  /**
   * Attention of a layer's new queries [b, heads, t, d] over its new keys and values [b, groups, t, d] and all earlier ones
   * (prefix, cache), masked; the scores' scale is already in q and k. -> [b·t, heads·d].
   */
  attend(layer: number, q: Value, k: Value, v: Value): Value;
}

/** A decoder as a chain of blocks, so that the trainer can recompute them one by one. */
export interface DecoderModel<Shared = unknown> extends ModelStructure {
  readonly config: ModelConfig;
  /** Rotary position streams: 1, or 2 for ChatGLM-6B. */
  readonly streams: number;
  /** Context tokens see later ones, so a prompt cannot be processed in pieces. */
  readonly bidirectionalContext: boolean;
  /** Positions and visibility of a sequence. Throws `engine.noContextEnd` where the family needs a marker that is missing. */
  places(ids: ArrayLike<number>): Places;
  /** Values that every layer of a pass shares (rotary tables). */
  shared(forward: Forward): Shared;
  /** ids int32 [b, t] -> [b·t, hidden] float32. */
  embed(forward: Forward, ids: Value): Value;
  /** x [b·t, hidden] float32 -> the same shape. */
  block(forward: Forward, shared: Shared, x: Value, layer: number): Value;
  /** Final norm: [n, hidden] float32 -> [n, hidden] in the compute dtype. */
  finish(forward: Forward, x: Value): Value;
}

/** Places of a causal model: positions count from 0. */
export function causalPlaces(ids: ArrayLike<number>): Places {
  const count = Int32Array.from({ length: ids.length }, (_, i) => i);
  return { streams: [count], keyOrder: count };
}
