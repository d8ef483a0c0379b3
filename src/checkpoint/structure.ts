/** What a configuration says about a model: its sizes, and the names and shapes of its parameters. */
import { chatGlmStructure } from './families/chatglm';
import { chatGlm2Structure } from './families/chatglm2';
import { glmStructure } from './families/glm';
import type { ModelConfig } from './types';

export interface TensorSpec {
  /** As in the checkpoint's files. */
  name: string;
  shape: readonly number[];
}

/** A linear layer of a block: module path without `.weight`. */
export interface LinearSpec {
  /** Such as `transformer.encoder.layers.0.self_attention.query_key_value`. */
  module: string;
  inFeatures: number;
  outFeatures: number;
  bias: boolean;
}

export interface ModelStructure {
  architecture: ModelConfig['architecture'];
  layers: number;
  hiddenSize: number;
  vocabSize: number;
  /** Longest sequence the position table allows, in tokens. */
  maxLength: number;
  /** Query heads, key/value heads, and channels of each. */
  heads: number;
  groups: number;
  headDim: number;
  /** Every parameter, embedding first, in the order of the layers. Weights of linear layers are `[out, in]`. */
  tensors: readonly TensorSpec[];
  /** Tensors that a file may hold besides: copies of a tied parameter. */
  optional: readonly TensorSpec[];
  /** All linear layers of the blocks in the order of the layers; the output layer is not among them. */
  linears: readonly LinearSpec[];
  /** The attention projections that adapters are put on where nothing else is said. */
  defaultTargets: readonly string[];
  /** Name of the input embedding `[vocab, hidden]`. */
  embedding: string;
  /** Name of the output layer's weight `[vocab, hidden]`; the embedding's where both are one parameter. */
  outputWeight: string;
  tied: boolean;
  /** Whether a parameter belongs to a norm: kept in float32 in every compute dtype, and not decayed. */
  isNorm: (name: string) => boolean;
}

/** Structure of a model, from its configuration alone. */
export function structureOf(config: ModelConfig): ModelStructure {
  switch (config.architecture) {
    case 'chatglm':
      return chatGlmStructure(config);
    case 'chatglm2':
      return chatGlm2Structure(config);
    case 'glm':
    case 'glm4':
      return glmStructure(config);
  }
}
