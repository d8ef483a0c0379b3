/** A Hugging Face checkpoint directory: configuration and weights. */
import fs from 'node:fs';
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import { readConfig } from './config';
import { readJsonObject } from './json';
import { openSafetensors } from './safetensors';
import type { WeightFile, WeightsReader } from './tensorFiles';
import { openTorchFiles } from './torchFile/reader';
import type { ModelConfig, TensorEntry, TensorReader } from './types';

export const WEIGHTS_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';
const MAX_SHARDS = 4096;

/** The layouts that weights are published in, the one to prefer first. */
const LAYOUTS = [
  { single: WEIGHTS_FILE, index: INDEX_FILE, shard: /^[^/\\:\0]+\.safetensors$/, open: openSafetensors },
  {
    single: 'pytorch_model.bin',
    index: 'pytorch_model.bin.index.json',
    shard: /^[^/\\:\0]+\.bin$/,
    open: openTorchFiles,
  },
] as const;

export interface Checkpoint {
  directory: string;
  config: ModelConfig;
  reader: TensorReader;
  /** The weight files, in the order of their names. */
  files: readonly WeightFile[];
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

/** The files that hold a directory's weights. */
export interface WeightFiles {
  files: readonly string[];
  /** The index that names them, with the file of each tensor; null for a single file. */
  index: { file: string; weightMap: ReadonlyMap<string, string> } | null;
  open: (files: readonly string[]) => WeightsReader;
}

/**
 * Opens the weights of a directory: `model.safetensors` or the shards its index names; where there is neither, torch's
 * `pytorch_model.bin` or the shards of its index.
 * @returns an open reader; throws GlmError
 */
export function openWeights(directory: string): WeightsReader {
  const { files, index, open } = findWeights(directory);
  const missing = missingShards(files);
  if (index && missing.length > 0) {
    throw new GlmError('checkpoint.missingShard', {
      path: index.file,
      shard: missing.slice(0, 8).join(', '),
    });
  }
  const reader = open(files);
  try {
    if (index) checkIndex(index.weightMap, reader.tensors, index.file);
  } catch (error) {
    reader.close();
    throw error;
  }
  return reader;
}

/** Names of the shards that are not there. */
function missingShards(files: readonly string[]): string[] {
  return files.filter((file) => !fs.existsSync(file)).map((file) => path.basename(file));
}

/** Finds the weights without opening them; throws GlmError where there are none or the index cannot be used. */
export function findWeights(directory: string): WeightFiles {
  for (const { single, index: indexName, shard, open } of LAYOUTS) {
    const file = path.join(directory, single);
    if (fs.existsSync(file)) return { files: [file], index: null, open };
    const index = path.join(directory, indexName);
    if (!fs.existsSync(index)) continue;
    const weightMap = readIndex(index, shard);
    const shards = [...new Set(weightMap.values())].sort();
    if (shards.length > MAX_SHARDS)
      throw new GlmError('checkpoint.badIndex', { path: index, detail: String(shards.length) });
    const files = shards.map((name) => path.join(directory, name));
    return { files, index: { file: index, weightMap }, open };
  }
  throw new GlmError('checkpoint.noWeights', { path: directory });
}

/** `weight_map` of an index. A shard must be a plain name: an index may not reach outside its directory. */
function readIndex(index: string, shardName: RegExp): Map<string, string> {
  const { weight_map: map } = readJsonObject(index);
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new GlmError('checkpoint.badIndex', { path: index, detail: 'weight_map' });
  }
  const entries = Object.entries(map);
  if (entries.length === 0) throw new GlmError('checkpoint.badIndex', { path: index, detail: 'weight_map' });
  for (const [name, shard] of entries) {
    if (typeof shard !== 'string' || !shardName.test(shard)) {
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
