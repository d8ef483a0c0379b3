/** P-Tuning v2: names and shapes of a prefix encoder's tensors, computed from the configuration. */
import { elements } from './modelTensors';
import { structureOf, type TensorSpec } from './structure';
import type { ModelConfig, PrefixConfig } from './types';

/** What a tensor of the encoder does: the table, or weight and bias of the projection's two linear layers. */
export const PREFIX_PARTS = ['embedding', 'innerWeight', 'innerBias', 'outerWeight', 'outerBias'] as const;
export type PrefixPart = (typeof PREFIX_PARTS)[number];

export interface PrefixTensor extends TensorSpec {
  part: PrefixPart;
}

export interface PrefixShapes {
  layers: number;
  /** Key/value heads and channels of each. */
  groups: number;
  headDim: number;
  /** Numbers per prefix entry, read as `[layers, 2 (key, value), groups, headDim]`. */
  width: number;
  /** The trained tensors, table first. Linear weights are `[out, in]`. */
  tensors: readonly PrefixTensor[];
}

const NAMES: Readonly<Record<PrefixConfig['variant'], Readonly<Record<PrefixPart, string>>>> = {
  thudm: {
    embedding: 'transformer.prefix_encoder.embedding.weight',
    innerWeight: 'transformer.prefix_encoder.trans.0.weight',
    innerBias: 'transformer.prefix_encoder.trans.0.bias',
    outerWeight: 'transformer.prefix_encoder.trans.2.weight',
    outerBias: 'transformer.prefix_encoder.trans.2.bias',
  },
  peft: {
    embedding: 'prompt_encoder.default.embedding.weight',
    innerWeight: 'prompt_encoder.default.transform.0.weight',
    innerBias: 'prompt_encoder.default.transform.0.bias',
    outerWeight: 'prompt_encoder.default.transform.2.weight',
    outerBias: 'prompt_encoder.default.transform.2.bias',
  },
};

/** The variant of a family's own tools. GLM-4-9B's original code has no prefix encoder and shares ChatGLM2's layout. */
export function defaultPrefixVariant(config: ModelConfig): PrefixConfig['variant'] {
  return config.architecture === 'chatglm' || config.architecture === 'chatglm2' ? 'thudm' : 'peft';
}

/** Position of the first real token: PEFT's entries fill the cache like tokens, ChatGLM's own do not. */
export function prefixPositionOffset(prefix: Pick<PrefixConfig, 'variant' | 'pre_seq_len'>): number {
  return prefix.variant === 'peft' ? prefix.pre_seq_len : 0;
}

/** Name of a tensor: THUDM's for the variant `thudm` on any family, PEFT's (of its encoder in training) for `peft`. */
export function prefixTensorName(variant: PrefixConfig['variant'], part: PrefixPart): string {
  return NAMES[variant][part];
}

/**
 * Shapes of a prefix encoder. Without projection the table is the result. With one, its input is as wide as ChatGLM-6B's hidden states
 * (`thudm` on `chatglm`), as the result (`thudm` elsewhere) or as a layer's keys (`peft`).
 */
export function prefixShapes(
  config: ModelConfig,
  prefix: Pick<PrefixConfig, 'variant' | 'pre_seq_len' | 'prefix_projection' | 'encoder_hidden_size'>,
): PrefixShapes {
  const { layers, groups, headDim, hiddenSize } = structureOf(config);
  const { variant, pre_seq_len: entries } = prefix;
  const tokenWidth = groups * headDim;
  const width = layers * 2 * tokenWidth;
  const named = (part: PrefixPart, shape: number[]): PrefixTensor => ({
    part,
    name: NAMES[variant][part],
    shape,
  });
  if (!prefix.prefix_projection) {
    return { layers, groups, headDim, width, tensors: [named('embedding', [entries, width])] };
  }
  const wide = config.architecture === 'chatglm' ? hiddenSize : width;
  const input = variant === 'thudm' ? wide : tokenWidth;
  const inner = encoderHiddenSize(config, prefix);
  return {
    layers,
    groups,
    headDim,
    width,
    tensors: [
      named('embedding', [entries, input]),
      named('innerWeight', [inner, input]),
      named('innerBias', [inner]),
      named('outerWeight', [width, inner]),
      named('outerBias', [width]),
    ],
  };
}

/** Inner width of the projection: the model's hidden size (`thudm`) or the width of a layer's keys (`peft`) where nothing is said. */
export function encoderHiddenSize(
  config: ModelConfig,
  prefix: Pick<PrefixConfig, 'variant' | 'encoder_hidden_size'>,
): number {
  const { groups, headDim, hiddenSize } = structureOf(config);
  return prefix.encoder_hidden_size ?? (prefix.variant === 'thudm' ? hiddenSize : groups * headDim);
}

/** Number of trainable numbers of a prefix encoder. */
export function countPrefixParameters({ tensors }: PrefixShapes): number {
  return tensors.reduce((sum, { shape }) => sum + elements(shape), 0);
}
