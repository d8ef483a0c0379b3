/** The JSON files beside a prefix: PEFT's `adapter_config.json`, THUDM's `config.json`, and our own record of the variant. */
import { Fields, MAX_LAYERS, MAX_SIZE } from './families/fields';
import { encoderHiddenSize, prefixPositionOffset, prefixShapes } from './prefix';
import type { ModelConfig, PrefixConfig } from './types';

type Json = Readonly<Record<string, unknown>>;

/** Sizes of the model that PEFT writes beside its prefix. */
export interface PeftPrefixSizes {
  token_dim: number;
  num_attention_heads: number;
  num_layers: number;
}

/**
 * Checks a parsed `adapter_config.json` with `peft_type: PREFIX_TUNING`.
 * Throws GlmError `checkpoint.badConfig`.
 */
export function parsePeftPrefix(json: Json, file: string): { config: PrefixConfig; sizes: PeftPrefixSizes } {
  const fields = new Fields(json, file);
  const submodules = fields.integer('num_transformer_submodules', 2, 1);
  if (submodules !== 1) fields.fail('num_transformer_submodules', submodules, 'unsupported');
  const prefix_projection = fields.boolean('prefix_projection', false);
  return {
    config: {
      variant: 'peft',
      pre_seq_len: fields.integer('num_virtual_tokens', MAX_SIZE),
      prefix_projection,
      encoder_hidden_size: fields.has('encoder_hidden_size')
        ? fields.integer('encoder_hidden_size', MAX_SIZE)
        : null,
      base_model_name_or_path: fields.has('base_model_name_or_path')
        ? fields.text('base_model_name_or_path', '')
        : null,
    },
    sizes: {
      token_dim: fields.integer('token_dim', MAX_SIZE),
      num_attention_heads: fields.integer('num_attention_heads', MAX_SIZE),
      num_layers: fields.integer('num_layers', MAX_LAYERS),
    },
  };
}

/** PEFT's sizes of a model: its heads are those of keys and values, as in grouped-query attention. */
export function peftPrefixSizes(model: ModelConfig, prefix: PrefixConfig): PeftPrefixSizes {
  const { layers, groups, headDim } = prefixShapes(model, prefix);
  return { token_dim: groups * headDim, num_attention_heads: groups, num_layers: layers };
}

/** The file's content, with the keys that PEFT writes itself. */
export function peftPrefixJson(prefix: PrefixConfig, model: ModelConfig): Record<string, unknown> {
  const { token_dim, num_attention_heads, num_layers } = peftPrefixSizes(model, prefix);
  return {
    auto_mapping: null,
    base_model_name_or_path: prefix.base_model_name_or_path,
    encoder_hidden_size: encoderHiddenSize(model, prefix),
    inference_mode: true,
    init_weights: null,
    modules_to_save: null,
    num_attention_heads,
    num_layers,
    num_transformer_submodules: 1,
    num_virtual_tokens: prefix.pre_seq_len,
    peft_type: 'PREFIX_TUNING',
    prefix_projection: prefix.prefix_projection,
    revision: null,
    task_type: 'CAUSAL_LM',
    token_dim,
  };
}

/** What `config.json` beside a THUDM prefix says about it; null where it says nothing. */
export function parseThudmPrefix(
  json: Json,
  file: string,
): { pre_seq_len: number | null; prefix_projection: boolean | null; base: string | null } {
  const fields = new Fields(json, file);
  return {
    pre_seq_len: fields.has('pre_seq_len') ? fields.integer('pre_seq_len', MAX_SIZE) : null,
    prefix_projection: fields.has('prefix_projection') ? fields.boolean('prefix_projection', false) : null,
    base: fields.has('_name_or_path') ? fields.text('_name_or_path', '') : null,
  };
}

/** Our own file: which of the two variants the numbers belong to, and where the first real token stands. */
export function prefixRecord(prefix: PrefixConfig, model: ModelConfig): Record<string, unknown> {
  return {
    variant: prefix.variant,
    position_offset: prefixPositionOffset(prefix),
    pre_seq_len: prefix.pre_seq_len,
    prefix_projection: prefix.prefix_projection,
    encoder_hidden_size: prefix.prefix_projection ? encoderHiddenSize(model, prefix) : null,
    base_model_name_or_path: prefix.base_model_name_or_path,
  };
}
