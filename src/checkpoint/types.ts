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
  /** Rotary base is 10000 times this; 1 where the key is absent. */
  rope_ratio: number;
  eos_token_id: number | null;
  pad_token_id: number | null;
}

/** One member per model family; `architecture` is the discriminant. */
export type ModelConfig = ChatGlm2Config;

export interface LoraConfig {
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  target_modules: string[];
  use_rslora: boolean;
  base_model_name_or_path: string | null;
}
