/** A Hugging Face checkpoint directory: configuration and weights. */
import fs from 'node:fs';
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import { readConfig } from './config';
import { readJsonObject } from './json';
import { openSafetensors, type SafetensorsFile } from './safetensors';
import type { ModelConfig, TensorEntry, TensorReader } from './types';

export const WEIGHTS_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';
const MAX_SHARDS = 4096;

export interface Checkpoint {
  directory: string;
  config: ModelConfig;
  reader: TensorReader;
  /** The weight files, in the order of their names. */
  files: readonly SafetensorsFile[];
}

/**
 * Opens a checkpoint directory. Headers are read, data is not; whether the tensors fit the model is for `checkModel`.
 * @returns configuration and an open reader (`reader.close()` when done); throws GlmError `checkpoint.*`
 */
export function openCheckpoint(directory: string): Checkpoint {
  const config = readConfig(directory);
  const weights = openWeights(directory);
  return { directory, config, reader: weights, files: weights.files };
}

/**
 * Opens the weights of a directory: `model.safetensors`, or the shards its index names.
 * @returns an open reader; throws GlmError
 */
export function openWeights(
  directory: string,
): TensorReader & { readonly files: readonly SafetensorsFile[] } {
  const single = path.join(directory, WEIGHTS_FILE);
  if (fs.existsSync(single)) return openSafetensors([single]);
  const index = path.join(directory, INDEX_FILE);
  if (!fs.existsSync(index)) throw noWeights(directory);
  const weightMap = readIndex(index);
  const shards = [...new Set(weightMap.values())].sort();
  if (shards.length > MAX_SHARDS)
    throw new GlmError('checkpoint.badIndex', { path: index, detail: String(shards.length) });
  for (const shard of shards) {
    if (!fs.existsSync(path.join(directory, shard))) {
      throw new GlmError('checkpoint.missingShard', { path: index, shard });
    }
  }
  const reader = openSafetensors(shards.map((shard) => path.join(directory, shard)));
  try {
    checkIndex(weightMap, reader.tensors, index);
  } catch (error) {
    reader.close();
    throw error;
  }
  return reader;
}

function noWeights(directory: string): GlmError {
  const names = fs.readdirSync(directory);
  const legacy = names.find((name) => /^pytorch_model.*\.bin(\.index\.json)?$/.test(name));
  if (legacy) return new GlmError('checkpoint.binWeights', { path: directory, file: legacy });
  return new GlmError('checkpoint.noWeights', { path: directory });
}

/** `weight_map` of an index. A shard must be a plain name: an index may not reach outside its directory. */
function readIndex(index: string): Map<string, string> {
  const { weight_map: map } = readJsonObject(index);
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new GlmError('checkpoint.badIndex', { path: index, detail: 'weight_map' });
  }
  const entries = Object.entries(map);
  if (entries.length === 0) throw new GlmError('checkpoint.badIndex', { path: index, detail: 'weight_map' });
  for (const [name, shard] of entries) {
    if (typeof shard !== 'string' || !/^[^/\\:\0]+\.safetensors$/.test(shard)) {
      const detail = `${name}: ${JSON.stringify(shard)}`.slice(0, 200);
      throw new GlmError('checkpoint.badIndex', { path: index, detail });
    }
  }
  return new Map(entries as [string, string][]);
}

function checkIndex(
  weightMap: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, TensorEntry>,
  index: string,
): void {
  for (const [name, shard] of weightMap) {
    const entry = tensors.get(name);
    if (!entry || path.basename(entry.file) !== shard) {
      throw new GlmError('checkpoint.notInShard', { path: index, tensor: name.slice(0, 200), shard });
    }
  }
}
