/** Adapter directories of every kind: LoRA and DoRA (PEFT), prefixes (THUDM, PEFT). */
import fs from 'node:fs';
import path from 'node:path';
import { GlmError, isGlmError } from '../protocol/errors';
import { parseAdapterConfig } from './adapterConfig';
import { ADAPTER_CONFIG } from './adapterNames';
import { readJsonObject } from './json';
import type { LoraShape } from './lora';
import { checkLora, type LoraFiles } from './loraFiles';
import type { PrefixShapes } from './prefix';
import {
  checkPrefix,
  openAdapterWeights,
  openPeftPrefix,
  openThudmPrefix,
  type PrefixFiles,
} from './prefixFiles';
import type { ModelConfig } from './types';

export { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from './adapterNames';
export { loraScale, loraTensorName, loraTensors } from './lora';
export { checkLora, readLora, writeAdapter, type LoraFiles, type LoraWeights } from './loraFiles';
export { checkPrefix, requireEncoder, type PrefixFiles } from './prefixFiles';
export { writePrefix } from './prefixWriter';

export type Adapter = LoraFiles | PrefixFiles;

/**
 * Opens an adapter directory: PEFT's (LoRA, DoRA, prefix tuning; `.safetensors` or `.bin`), or THUDM's with prefix tensors.
 * @returns configuration and an open reader (`reader.close()` when done); throws GlmError, by name for PEFT features that
 *   the engine does not have
 */
export function openAdapter(directory: string): Adapter {
  const file = path.join(directory, ADAPTER_CONFIG);
  if (!fs.existsSync(file)) return openPrefixState(directory);
  const json = readJsonObject(file);
  if (json.peft_type === 'PREFIX_TUNING') return openPeftPrefix(directory, json);
  const config = parseAdapterConfig(json, file);
  return { kind: 'lora', directory, config, reader: openAdapterWeights(directory) };
}

function openPrefixState(directory: string): PrefixFiles {
  const nothing = new GlmError('checkpoint.noAdapter', { path: directory });
  if (!fs.existsSync(directory)) throw nothing;
  try {
    const prefix = openThudmPrefix(directory);
    if (prefix) return prefix;
  } catch (error) {
    if (isGlmError(error) && error.code === 'checkpoint.noWeights') throw nothing;
    throw error;
  }
  throw nothing;
}

/**
 * Compares an adapter with the model it shall be put on.
 * @returns the layers that LoRA changes, or the shapes of a prefix; throws GlmError with all problems
 */
export function checkAdapter(adapter: LoraFiles, model: ModelConfig): LoraShape[];
export function checkAdapter(adapter: PrefixFiles, model: ModelConfig): PrefixShapes;
export function checkAdapter(adapter: Adapter, model: ModelConfig): LoraShape[] | PrefixShapes;
export function checkAdapter(adapter: Adapter, model: ModelConfig): LoraShape[] | PrefixShapes {
  return adapter.kind === 'lora' ? checkLora(adapter, model) : checkPrefix(adapter, model);
}
