/** Where things lie, relative to the repository root, and how large the model is. */
import path from 'node:path';

/** Work in progress: corpus, first weights, pre-training run. */
export const WORK = path.resolve('out/practice-model');
/** What is shipped. */
export const SHIPPED = path.resolve('media/practice-model');

export const CORPUS_FILE = path.join(WORK, 'corpus.jsonl');
/** Checkpoint with random weights that pre-training starts from. */
export const SEED_MODEL = path.join(WORK, 'seed-model');
export const RUN_FILE = path.join(WORK, 'pretrain.glmtune.json');
export const RUN_DIRECTORY = path.join(WORK, 'run');

export const SEED = 20;

/** SentencePiece pieces: `<unk>`, `<s>`, `</s>`, 256 bytes, and the learned ones. */
export const PIECES = 2400;
/** Pieces, then the nine special tokens of ChatGLM3, rounded up. */
export const PADDED_VOCABULARY = 2432;

/** Keys and names as the released ChatGLM3 checkpoints have them; only the sizes differ. */
export const CONFIG = {
  architectures: ['ChatGLMModel'],
  model_type: 'chatglm',
  add_bias_linear: false,
  add_qkv_bias: true,
  apply_query_key_layer_scaling: true,
  apply_residual_connection_post_layernorm: false,
  attention_dropout: 0.0,
  attention_softmax_in_fp32: true,
  bias_dropout_fusion: true,
  ffn_hidden_size: 512,
  fp32_residual_connection: false,
  hidden_dropout: 0.0,
  hidden_size: 192,
  kv_channels: 32,
  layernorm_epsilon: 1e-5,
  multi_query_attention: true,
  multi_query_group_num: 2,
  num_attention_heads: 6,
  num_layers: 6,
  original_rope: true,
  padded_vocab_size: PADDED_VOCABULARY,
  post_layer_norm: true,
  rmsnorm: true,
  seq_length: 1024,
  use_cache: true,
  tie_word_embeddings: false,
  eos_token_id: 2,
  pad_token_id: 0,
} as const;

/** Pre-training, as a run file's `training` section: small batches, since more updates learn more from the same tokens. */
export const TRAINING = {
  dtype: 'float32',
  epochs: 10,
  batch_size: 16,
  learning_rate: 0.002,
  lr_scheduler_type: 'cosine',
  warmup_ratio: 0.03,
  weight_decay: 0.01,
  adam_beta2: 0.98,
  shuffle: true,
  group_by_length: true,
  seed: SEED,
} as const;

/** Longest record of the corpus in tokens, with room. */
export const MAX_LENGTH = 128;
