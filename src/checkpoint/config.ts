/** `config.json` of a checkpoint: detected, checked, defaults filled in. */
import fs from 'node:fs';
import path from 'node:path';
import { GlmError, type ConfigFault } from '../protocol/errors';
import { detectArchitecture } from './architecture';
import { readJsonObject } from './json';
import type { ChatGlm2Config, ModelConfig } from './types';

/** Larger sizes than any model has; products of two of them are still exact. */
const MAX_SIZE = 1 << 24;
const MAX_LAYERS = 1024;

/**
 * Reads the configuration of a checkpoint directory.
 * @returns the configuration; throws GlmError for a missing or broken file, an unsupported architecture or impossible values
 */
export function readConfig(directory: string): ModelConfig {
  if (!fs.existsSync(directory)) throw new GlmError('checkpoint.notFound', { path: directory });
  const file = path.join(directory, 'config.json');
  if (!fs.existsSync(file)) throw new GlmError('checkpoint.noConfig', { path: directory });
  return parseConfig(readJsonObject(file), file);
}

/** Checks a parsed `config.json`; `file` is named in errors. */
export function parseConfig(json: Readonly<Record<string, unknown>>, file: string): ModelConfig {
  const architecture = detectArchitecture(json);
  if (architecture !== 'chatglm2') {
    const modelType = typeof json.model_type === 'string' ? json.model_type.slice(0, 80) : '';
    throw new GlmError('checkpoint.unsupportedArchitecture', { path: file, architecture, modelType });
  }
  return parseChatGlm2(new Fields(json, file));
}

function parseChatGlm2(fields: Fields): ChatGlm2Config {
  const hidden = fields.integer('hidden_size', MAX_SIZE);
  const heads = fields.integer('num_attention_heads', MAX_SIZE);
  const multiQuery = fields.boolean('multi_query_attention', false);
  const config: ChatGlm2Config = {
    architecture: 'chatglm2',
    num_layers: fields.integer('num_layers', MAX_LAYERS),
    padded_vocab_size: fields.integer('padded_vocab_size', MAX_SIZE),
    hidden_size: hidden,
    ffn_hidden_size: fields.integer('ffn_hidden_size', MAX_SIZE),
    kv_channels: fields.integer('kv_channels', MAX_SIZE, 128),
    num_attention_heads: heads,
    multi_query_attention: multiQuery,
    // Without multi-query attention every head has its own keys, whatever this key says.
    multi_query_group_num: multiQuery ? fields.integer('multi_query_group_num', MAX_SIZE, 1) : heads,
    seq_length: fields.integer('seq_length', MAX_SIZE, 2048),
    layernorm_epsilon: fields.number('layernorm_epsilon', 1e-5),
    rmsnorm: fields.boolean('rmsnorm', true),
    post_layer_norm: fields.boolean('post_layer_norm', true),
    apply_residual_connection_post_layernorm: fields.boolean(
      'apply_residual_connection_post_layernorm',
      false,
    ),
    add_bias_linear: fields.boolean('add_bias_linear', false),
    add_qkv_bias: fields.boolean('add_qkv_bias', false),
    rope_ratio: fields.number('rope_ratio', 1),
    eos_token_id: fields.token('eos_token_id'),
    pad_token_id: fields.token('pad_token_id'),
  };
  if (heads % config.multi_query_group_num !== 0) {
    fields.fail('multi_query_group_num', config.multi_query_group_num, 'divides');
  }
  // Half of each head's channels are rotated, in pairs.
  if (config.kv_channels % 4 !== 0) fields.fail('kv_channels', config.kv_channels, 'multipleOf4');
  return config;
}

/** Typed access to the keys of one file; `null` counts as absent, as it does in `transformers`. */
class Fields {
  constructor(
    private readonly json: Readonly<Record<string, unknown>>,
    private readonly file: string,
  ) {}

  fail(key: string, value: unknown, reason: ConfigFault): never {
    const shown = (JSON.stringify(value) ?? '').slice(0, 80);
    throw new GlmError('checkpoint.badConfig', { path: this.file, key, value: shown, reason });
  }

  /** A whole number from 1 to `most`. */
  integer(key: string, most: number, fallback?: number): number {
    const value = this.value(key, fallback);
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most) {
      this.fail(key, value, 'integer');
    }
    return value as number;
  }

  /** A finite number above zero. */
  number(key: string, fallback: number): number {
    const value = this.value(key, fallback);
    if (!Number.isFinite(value) || (value as number) <= 0) this.fail(key, value, 'number');
    return value as number;
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.value(key, fallback);
    if (typeof value !== 'boolean') this.fail(key, value, 'boolean');
    return value;
  }

  /** A token id, the first one of a list, or null. */
  token(key: string): number | null {
    const found = this.json[key] ?? null;
    const value: unknown = Array.isArray(found) ? (found[0] ?? null) : found;
    if (value === null) return null;
    if (!Number.isSafeInteger(value)) this.fail(key, found, 'token');
    // Older configurations write -1 for "none".
    return (value as number) < 0 ? null : (value as number);
  }

  private value(key: string, fallback?: unknown): unknown {
    const value = this.json[key] ?? fallback;
    if (value === undefined) this.fail(key, undefined, 'missing');
    return value;
  }
}
