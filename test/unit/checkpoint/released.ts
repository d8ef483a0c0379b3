/** `config.json` of released models, as far as it matters. */

type Json = Record<string, unknown>;

const CHATGLM: Json = {
  model_type: 'chatglm',
  hidden_size: 4096,
  inner_hidden_size: 16384,
  layernorm_epsilon: 1e-5,
  max_sequence_length: 2048,
  num_attention_heads: 32,
  num_layers: 28,
  position_encoding_2d: true,
};

const CHATGLM3: Json = {
  model_type: 'chatglm',
  add_bias_linear: false,
  add_qkv_bias: true,
  apply_query_key_layer_scaling: true,
  apply_residual_connection_post_layernorm: false,
  ffn_hidden_size: 13696,
  hidden_size: 4096,
  kv_channels: 128,
  layernorm_epsilon: 1e-5,
  multi_query_attention: true,
  multi_query_group_num: 2,
  num_attention_heads: 32,
  num_layers: 28,
  padded_vocab_size: 65024,
  post_layer_norm: true,
  rmsnorm: true,
  seq_length: 8192,
  quantization_bit: 0,
  pre_seq_len: null,
  eos_token_id: 2,
  pad_token_id: 0,
};

const GLM4_9B: Json = {
  ...CHATGLM3,
  num_layers: 40,
  num_hidden_layers: 40,
  padded_vocab_size: 151552,
  vocab_size: 151552,
  seq_length: 131072,
  rope_ratio: 500,
  layernorm_epsilon: 1.5625e-7,
  eos_token_id: [151329, 151336, 151338],
  pad_token_id: 151329,
};

const GLM4_9B_HF: Json = {
  model_type: 'glm',
  attention_bias: true,
  head_dim: 128,
  hidden_act: 'silu',
  hidden_size: 4096,
  intermediate_size: 13696,
  max_position_embeddings: 131072,
  num_attention_heads: 32,
  num_hidden_layers: 40,
  num_key_value_heads: 2,
  rms_norm_eps: 1.5625e-7,
  rope_theta: 5000000,
  tie_word_embeddings: false,
  vocab_size: 151552,
  eos_token_id: [151329, 151336, 151338],
  pad_token_id: 151329,
};

export const RELEASED = {
  chatglm: {
    ...CHATGLM,
    vocab_size: 130528,
    bos_token_id: 130004,
    eos_token_id: 130005,
    mask_token_id: 130000,
    gmask_token_id: 130001,
    pad_token_id: 3,
  },
  /** Of March 2023: the markers of the prompt were named in the code alone. */
  chatglmImageTokens: { ...CHATGLM, vocab_size: 150528, bos_token_id: 150004, eos_token_id: 150005 },
  chatglm3: CHATGLM3,
  glm4Original: GLM4_9B,
  glm4Hf: GLM4_9B_HF,
  glm40414: {
    ...GLM4_9B_HF,
    model_type: 'glm4',
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
  },
} satisfies Record<string, Json>;
