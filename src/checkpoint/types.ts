/** What the checkpoint room hands to the engine and the command line. */

export type StoredDType =
  'F32' | 'F16' | 'BF16' | 'I8' | 'U8' | 'I32' | 'I64' | 'BOOL' | 'F64' | 'I16' | 'U16' | 'U32' | 'U64';

/** A tensor in a file; `offset` is absolute, `byteLength` equals the product of `shape` times the size of `dtype`. */
export interface TensorEntry {
  name: string;
  dtype: StoredDType;
  shape: number[];
  file: string;
  offset: number;
  byteLength: number;
}

/** Read access to the tensors of a checkpoint or adapter directory. Nothing is read before it is asked for. */
export interface TensorReader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Reads raw bytes of a tensor into `target` (same length), without a second copy. Throws GlmError. */
  readInto(name: string, target: Uint8Array): void;
  /** Whole tensor widened to float32; throws for integer tensors. */
  readFloat32(name: string): Float32Array;
  /** Reads `length` bytes from `byteOffset` of the tensor (streams large tensors in pieces). */
  readSlice(name: string, byteOffset: number, target: Uint8Array): void;
  /** The open file that holds the tensor, for those who read it without JavaScript; valid until `close()`. Throws GlmError. */
  descriptor(name: string): number;
  close(): void;
}

/** A tensor to write; `data` holds little-endian values of `dtype`. */
export interface TensorToWrite {
  name: string;
  dtype: StoredDType;
  shape: number[];
  data: Uint8Array;
}

/**
 * Configuration of the ChatGLM2 / ChatGLM3 family: the keys of `config.json`, defaults filled in
 * (`design`: HF config keys verbatim).
 */
export interface ChatGlm2Config {
  architecture: 'chatglm2';
  num_layers: number;
  padded_vocab_size: number;
  hidden_size: number;
  ffn_hidden_size: number;
  kv_channels: number;
  num_attention_heads: number;
  multi_query_attention: boolean;
  multi_query_group_num: number;
  seq_length: number;
  layernorm_epsilon: number;
  rmsnorm: boolean;
  post_layer_norm: boolean;
  apply_residual_connection_post_layernorm: boolean;
  add_bias_linear: boolean;
  add_qkv_bias: boolean;
  /** 1 where the key is absent. */
  rope_ratio: number;
  /** What `rope_ratio` scales: the rotary base (ChatGLM3-32k, GLM-4) or, as a divisor, the positions (ChatGLM2-6B-32k). */
  rope_scaling: 'base' | 'positions';
  eos_token_id: number | null;
  pad_token_id: number | null;
  /** Bits of a THUDM-quantised checkpoint's linear layers; 0: floating-point numbers. */
  quantization_bit: 0 | 4 | 8;
  /** Entries of the P-Tuning v2 prefix the checkpoint was trained with; absent where there is none. */
  pre_seq_len?: number;
  prefix_projection?: boolean;
}

/** Configuration of ChatGLM-6B: the keys of `config.json`, defaults filled in. */
export interface ChatGlmConfig {
  architecture: 'chatglm';
  num_layers: number;
  vocab_size: number;
  hidden_size: number;
  inner_hidden_size: number;
  num_attention_heads: number;
  max_sequence_length: number;
  layernorm_epsilon: number;
  position_encoding_2d: boolean;
  /** Input embedding and output layer are one parameter; true where the key is absent. */
  tie_word_embeddings: boolean;
  /** `<sop>`: everything before the first one is context. */
  bos_token_id: number;
  /** `<eop>` */
  eos_token_id: number;
  mask_token_id: number;
  gmask_token_id: number;
  pad_token_id: number;
  /** Bits of a THUDM-quantised checkpoint's linear layers; 0: floating-point numbers. */
  quantization_bit: 0 | 4 | 8;
  /** Entries of the P-Tuning v2 prefix the checkpoint was trained with; absent where there is none. */
  pre_seq_len?: number;
  prefix_projection?: boolean;
}

/** Configuration of the Hugging Face layouts `glm` (GLM-4-9B-hf, GLM-Edge) and `glm4` (GLM-4-0414), defaults filled in. */
export interface GlmConfig {
  architecture: 'glm' | 'glm4';
  num_hidden_layers: number;
  vocab_size: number;
  hidden_size: number;
  intermediate_size: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  max_position_embeddings: number;
  rms_norm_eps: number;
  rope_theta: number;
  partial_rotary_factor: number;
  /** Biases on the query, key and value projections. */
  attention_bias: boolean;
  tie_word_embeddings: boolean;
  eos_token_id: number | null;
  pad_token_id: number | null;
}

/** One member per model family; `architecture` is the discriminant. */
export type ModelConfig = ChatGlmConfig | ChatGlm2Config | GlmConfig;

/** A LoRA adapter's settings, with the keys of PEFT's `adapter_config.json`. */
export interface LoraConfig {
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  /** Ends of module paths, or one text: `all-linear`, or a regular expression over whole module paths. */
  target_modules: string[] | string;
  use_rslora: boolean;
  /** Weight-decomposed adapter (DoRA): a trained magnitude per output row. */
  use_dora: boolean;
  /** Ranks and alphas of single layers, by a regular expression for the end of their module path. */
  rank_pattern?: Readonly<Record<string, number>>;
  alpha_pattern?: Readonly<Record<string, number>>;
  base_model_name_or_path: string | null;
}

/** A P-Tuning v2 adapter's settings. */
export interface PrefixConfig {
  /**
   * `thudm`: ChatGLM's own prefix encoder, real tokens keep positions from 0. `peft`: PEFT's prefix tuning, real tokens start at
   * position `pre_seq_len`.
   */
  variant: 'thudm' | 'peft';
  /** Number of prefix entries (PEFT: num_virtual_tokens). */
  pre_seq_len: number;
  prefix_projection: boolean;
  /** Inner width of the projection; null: the family's own (THUDM) or the prefix width of a token (PEFT). */
  encoder_hidden_size: number | null;
  base_model_name_or_path: string | null;
}
