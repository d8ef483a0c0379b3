/** `adapter_config.json` of PEFT, as version 0.21 reads and writes it. */
import { GlmError, type ConfigFault } from '../protocol/errors';
import type { LoraConfig } from './types';

const MAX_RANK = 65536;

/** What a key must be for plain LoRA; an absent key and `null` count as plain. */
const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  peft_type: (value) => value === 'LORA',
  bias: (value) => value === 'none',
  use_dora: isFalse,
  use_qalora: isFalse,
  use_bdlora: isFalse,
  lora_bias: isFalse,
  fan_in_fan_out: isFalse,
  modules_to_save: isEmpty,
  rank_pattern: isEmpty,
  alpha_pattern: isEmpty,
  exclude_modules: isEmpty,
  layers_to_transform: isEmpty,
  layer_replication: isEmpty,
  target_parameters: isEmpty,
  trainable_token_indices: isEmpty,
  alora_invocation_tokens: isEmpty,
};

function isFalse(value: unknown): boolean {
  return value === false;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/**
 * Checks a parsed `adapter_config.json`.
 * @returns the part that matters here; throws GlmError `checkpoint.unsupportedAdapter` for features beyond plain LoRA
 */
export function parseAdapterConfig(json: Readonly<Record<string, unknown>>, file: string): LoraConfig {
  for (const [key, isPlain] of Object.entries(PLAIN)) {
    const value = json[key] ?? null;
    if (value === null && key !== 'peft_type') continue;
    if (!isPlain(value)) {
      throw new GlmError('checkpoint.unsupportedAdapter', { path: file, key, value: show(value) });
    }
  }
  return {
    r: rank(json.r, file),
    lora_alpha: positive(json.lora_alpha, file),
    lora_dropout: dropout(json.lora_dropout ?? 0, file),
    target_modules: targets(json.target_modules, file),
    use_rslora: json.use_rslora === true,
    base_model_name_or_path: baseModel(json.base_model_name_or_path ?? null, file),
  };
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? '').slice(0, 80);
}

function fail(file: string, key: string, value: unknown, reason: ConfigFault): never {
  throw new GlmError('checkpoint.badConfig', { path: file, key, value: show(value), reason });
}

function rank(value: unknown, file: string): number {
  if (value === undefined) fail(file, 'r', value, 'missing');
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > MAX_RANK) {
    fail(file, 'r', value, 'integer');
  }
  return value as number;
}

function positive(value: unknown, file: string): number {
  if (value === undefined) fail(file, 'lora_alpha', value, 'missing');
  if (!Number.isFinite(value) || (value as number) <= 0) fail(file, 'lora_alpha', value, 'number');
  return value as number;
}

function dropout(value: unknown, file: string): number {
  if (!Number.isFinite(value) || (value as number) < 0 || (value as number) >= 1) {
    fail(file, 'lora_dropout', value, 'fraction');
  }
  return value as number;
}

/** A list of names. PEFT also allows one text, a regular expression over module paths or `all-linear`: not done here. */
function targets(value: unknown, file: string): string[] {
  if (typeof value === 'string') {
    throw new GlmError('checkpoint.unsupportedAdapter', {
      path: file,
      key: 'target_modules',
      value: show(value),
    });
  }
  const isList = Array.isArray(value) && value.length > 0;
  if (!isList || !value.every((item) => typeof item === 'string' && item !== '')) {
    fail(file, 'target_modules', value, 'list');
  }
  return [...new Set(value as string[])];
}

function baseModel(value: unknown, file: string): string | null {
  if (value !== null && typeof value !== 'string') fail(file, 'base_model_name_or_path', value, 'string');
  return value;
}

/** The file's content. Keys that plain LoRA does not use are left out: PEFT fills in its defaults. */
export function adapterConfigJson(config: LoraConfig): Record<string, unknown> {
  return {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: config.base_model_name_or_path,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: config.lora_alpha,
    lora_dropout: config.lora_dropout,
    modules_to_save: null,
    peft_type: 'LORA',
    r: config.r,
    rank_pattern: {},
    revision: null,
    target_modules: config.target_modules,
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: config.use_rslora,
  };
}
