/** `adapter_config.json` of PEFT, as version 0.21 reads and writes it. */
import { GlmError, type ConfigFault } from '../protocol/errors';
import type { LoraConfig } from './types';

const MAX_RANK = 65536;
const MOST_TARGETS = 8192;

type Json = Readonly<Record<string, unknown>>;

/** What a key must be for LoRA or DoRA; an absent key and `null` count as such. */
const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  peft_type: (value) => value === 'LORA',
  bias: (value) => value === 'none',
  use_qalora: isFalse,
  use_bdlora: isFalse,
  lora_bias: isFalse,
  fan_in_fan_out: isFalse,
  modules_to_save: isEmpty,
  exclude_modules: isEmpty,
  layers_to_transform: isEmpty,
  layer_replication: isEmpty,
  target_parameters: isEmpty,
  trainable_token_indices: isEmpty,
  alora_invocation_tokens: isEmpty,
  arrow_config: isEmpty,
  kasa_config: isEmpty,
  monteclora_config: isEmpty,
  enable_lora: isEmpty,
  init_lora_weights: keepsTheBase,
};

function isFalse(value: unknown): boolean {
  return value === false;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Such adapters belong to weights that were changed when training began; PEFT changes them again when it loads one. */
function keepsTheBase(value: unknown): boolean {
  return typeof value !== 'string' || !/^(pissa|olora|corda|loftq|lora_ga)/.test(value);
}

/**
 * Checks a parsed `adapter_config.json`.
 * @returns the part that matters here; throws GlmError `checkpoint.unsupportedAdapter` for features beyond LoRA and DoRA
 */
export function parseAdapterConfig(json: Json, file: string): LoraConfig {
  for (const [key, isPlain] of Object.entries(PLAIN)) {
    const value = json[key] ?? null;
    if (value === null && key !== 'peft_type') continue;
    if (!isPlain(value)) {
      throw new GlmError('checkpoint.unsupportedAdapter', { path: file, key, value: show(value) });
    }
  }
  return {
    r: rank('r', json.r, file),
    lora_alpha: positive('lora_alpha', json.lora_alpha, file),
    lora_dropout: dropout(json.lora_dropout ?? 0, file),
    target_modules: targets(json.target_modules, file),
    use_rslora: flag(json, 'use_rslora', file),
    use_dora: flag(json, 'use_dora', file),
    ...patterns(json, file),
    base_model_name_or_path: baseModel(json.base_model_name_or_path ?? null, file),
  };
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? '').slice(0, 80);
}

function fail(file: string, key: string, value: unknown, reason: ConfigFault): never {
  throw new GlmError('checkpoint.badConfig', { path: file, key, value: show(value), reason });
}

function rank(key: string, value: unknown, file: string): number {
  if (value === undefined) fail(file, key, value, 'missing');
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > MAX_RANK) {
    fail(file, key, value, 'integer');
  }
  return value as number;
}

function positive(key: string, value: unknown, file: string): number {
  if (value === undefined) fail(file, key, value, 'missing');
  if (!Number.isFinite(value) || (value as number) <= 0) fail(file, key, value, 'number');
  return value as number;
}

function dropout(value: unknown, file: string): number {
  if (!Number.isFinite(value) || (value as number) < 0 || (value as number) >= 1) {
    fail(file, 'lora_dropout', value, 'fraction');
  }
  return value as number;
}

function flag(json: Json, key: string, file: string): boolean {
  const value = json[key] ?? false;
  if (typeof value !== 'boolean') fail(file, key, value, 'boolean');
  return value;
}

/** Ends of module paths, or one text: a regular expression over module paths, or `all-linear`. */
function targets(value: unknown, file: string): string[] | string {
  if (typeof value === 'string' && value !== '') return value;
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MOST_TARGETS;
  if (!isList || !value.every((item) => typeof item === 'string' && item !== '')) {
    fail(file, 'target_modules', value, 'list');
  }
  return [...new Set(value as string[])];
}

/** Keys are absent where no layer has a rank or alpha of its own. */
function patterns(json: Json, file: string): Pick<LoraConfig, 'rank_pattern' | 'alpha_pattern'> {
  const ranks = pattern(json, 'rank_pattern', rank, file);
  const alphas = pattern(json, 'alpha_pattern', positive, file);
  return { ...(ranks && { rank_pattern: ranks }), ...(alphas && { alpha_pattern: alphas }) };
}

function pattern(
  json: Json,
  key: string,
  check: (key: string, value: unknown, file: string) => number,
  file: string,
): Record<string, number> | null {
  const value = json[key] ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) fail(file, key, value, 'object');
  const entries = Object.entries(value);
  if (entries.length > MOST_TARGETS) fail(file, key, value, 'object');
  if (entries.length === 0) return null;
  return Object.fromEntries(entries.map(([name, item]) => [name, check(`${key}.${name}`, item, file)]));
}

function baseModel(value: unknown, file: string): string | null {
  if (value !== null && typeof value !== 'string') fail(file, 'base_model_name_or_path', value, 'string');
  return value;
}

/** The file's content. Keys that LoRA and DoRA do not use are left out: PEFT fills in its defaults. */
export function adapterConfigJson(config: LoraConfig): Record<string, unknown> {
  return {
    alpha_pattern: config.alpha_pattern ?? {},
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
    rank_pattern: config.rank_pattern ?? {},
    revision: null,
    target_modules: config.target_modules,
    task_type: 'CAUSAL_LM',
    use_dora: config.use_dora,
    use_rslora: config.use_rslora,
  };
}
