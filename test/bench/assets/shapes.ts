/** The sizes of models and batches that are compared. */

/** `GlmConfig` of transformers, as far as sizes go. */
export interface ModelSizes {
  vocab_size: number;
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  max_position_embeddings: number;
}

export interface BatchShape {
  rows: number;
  tokens: number;
}

export const SMALL: ModelSizes = {
  vocab_size: 8192,
  hidden_size: 512,
  intermediate_size: 1536,
  num_hidden_layers: 8,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  head_dim: 64,
  max_position_embeddings: 4096,
};

export const MEDIUM: ModelSizes = {
  vocab_size: 16384,
  hidden_size: 2048,
  intermediate_size: 6144,
  num_hidden_layers: 4,
  num_attention_heads: 16,
  num_key_value_heads: 2,
  head_dim: 128,
  max_position_embeddings: 4096,
};

export const MODELS = { small: SMALL, medium: MEDIUM } as const;
export type ModelName = keyof typeof MODELS;

export const BATCHES: readonly BatchShape[] = [
  { rows: 4, tokens: 256 },
  { rows: 1, tokens: 1024 },
];

/** `4x256` */
export function shapeName({ rows, tokens }: BatchShape): string {
  return `${rows}x${tokens}`;
}

/**
 * Floating-point operations of a LoRA training step over all linear layers, per token: forward and the gradient of the input are two
 * each per weight; weights themselves get no gradient. Attention adds scores and sums over half of the positions.
 */
export function loraFlopsPerToken(sizes: ModelSizes, tokens: number): number {
  const {
    hidden_size: hidden,
    intermediate_size: inner,
    num_attention_heads: heads,
    head_dim: channels,
  } = sizes;
  const queries = heads * channels;
  const keys = sizes.num_key_value_heads * channels;
  const linear = hidden * (queries + 2 * keys) + queries * hidden + 3 * hidden * inner;
  const attention = 2 * queries * (tokens / 2);
  const layer = 4 * linear + 3 * 2 * attention;
  return sizes.num_hidden_layers * layer + 4 * hidden * sizes.vocab_size;
}
