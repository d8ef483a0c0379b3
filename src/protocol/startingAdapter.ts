/** The adapter that a run starts from, against what its run file says. Pure; reading the files is their owner's business. */
import type { RunFile } from './run';
import { error, warning, type RunCheck } from './runChecks';

/** Files that describe an adapter, in the order they are looked for: PEFT's, then the one beside THUDM's prefix state. */
export const ADAPTER_CONFIGS = ['adapter_config.json', 'config.json'] as const;

/** An adapter directory has one of these: PEFT's settings, or the tensors of a THUDM prefix, alone or inside a model. */
export const ADAPTER_FILES = [
  'adapter_config.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'model.safetensors',
  'model.safetensors.index.json',
] as const;

type Setting = string | number | boolean | string[] | null;

/** What an adapter's own configuration settles, under the names of the run file's keys. */
export interface AdapterSummary {
  kind: 'lora' | 'ptuning_v2';
  settings: Readonly<Record<string, Setting>>;
}

/** PEFT's name of a setting -> the run file's. */
const LORA_KEYS = {
  r: 'r',
  lora_alpha: 'lora_alpha',
  lora_dropout: 'lora_dropout',
  target_modules: 'target_modules',
  use_rslora: 'use_rslora',
  use_dora: 'use_dora',
};
const PEFT_PREFIX_KEYS = {
  num_virtual_tokens: 'pre_seq_len',
  prefix_projection: 'prefix_projection',
  encoder_hidden_size: 'encoder_hidden_size',
};
const THUDM_PREFIX_KEYS = { pre_seq_len: 'pre_seq_len', prefix_projection: 'prefix_projection' };

/**
 * Reads `adapter_config.json` (PEFT) or the `config.json` beside a THUDM prefix state, already parsed. Null for anything else:
 * loading the adapter says what is wrong with it.
 */
export function summariseAdapter(config: unknown): AdapterSummary | null {
  if (typeof config !== 'object' || config === null) return null;
  const json = config as Record<string, unknown>;
  if (json.peft_type === 'LORA') return { kind: 'lora', settings: pick(json, LORA_KEYS) };
  if (json.peft_type === 'PREFIX_TUNING')
    return { kind: 'ptuning_v2', settings: { variant: 'peft', ...pick(json, PEFT_PREFIX_KEYS) } };
  if (json.peft_type === undefined && typeof json.pre_seq_len === 'number')
    return { kind: 'ptuning_v2', settings: { variant: 'thudm', ...pick(json, THUDM_PREFIX_KEYS) } };
  return null;
}

function pick(json: Record<string, unknown>, keys: Record<string, string>): Record<string, Setting> {
  const found = Object.entries(keys).filter(([theirs]) => isSetting(json[theirs]));
  return Object.fromEntries(found.map(([theirs, ours]) => [ours, json[theirs] as Setting]));
}

function isSetting(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  // PEFT also takes a text as target_modules, a pattern: loading such an adapter says that it is not understood.
  return typeof value === 'number' || typeof value === 'boolean';
}

/**
 * What does not fit between the run and the adapter it starts from.
 * @param written the run file as it stands: only what it says itself can contradict the adapter
 */
export function checkStartingAdapter(run: RunFile, written: unknown, adapter: AdapterSummary): RunCheck[] {
  const { type } = run.method;
  if (type === 'full') return [];
  if (type !== adapter.kind) return [error('adapter', 'adapterKind', { kind: adapter.kind, method: type })];
  const said = methodOf(written);
  return Object.entries(adapter.settings)
    .filter(([key, value]) => said[key] !== undefined && !agrees(said[key], value))
    .map(([key, value]) => warning(`method.${key}`, 'adapterSetting', { value: show(value) }));
}

/** The run with the settings that its starting adapter settles: what is really trained. */
export function adoptAdapter(run: RunFile, adapter: AdapterSummary): RunFile {
  if (run.method.type !== adapter.kind) return run;
  return { ...run, method: { ...run.method, ...adapter.settings } };
}

function methodOf(written: unknown): Record<string, unknown> {
  const method = (written as { method?: unknown } | null)?.method;
  return typeof method === 'object' && method !== null ? (method as Record<string, unknown>) : {};
}

function agrees(said: unknown, settled: Setting): boolean {
  // `null` and `all-linear` are resolved with the model's family, which is not known here.
  if (Array.isArray(settled)) return !Array.isArray(said) || sameNames(said as string[], settled);
  return said === null || said === settled;
}

/** Module lists that name the same layers, whatever the order and the path before the name. */
function sameNames(a: readonly string[], b: readonly string[]): boolean {
  const names = (list: readonly string[]): string =>
    [...new Set(list.map((name) => name.slice(name.lastIndexOf('.') + 1)))].sort().join();
  return names(a) === names(b);
}

function show(value: Setting): string {
  return JSON.stringify(value);
}
