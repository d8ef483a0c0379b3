/** Writes a whole model as a Hugging Face checkpoint. */
import fs from 'node:fs';
import path from 'node:path';
import { MODEL_CONFIG as CONFIG_FILE } from '../checkpoint/adapterNames';
import { writeJsonAtomic } from '../checkpoint/atomic';
import { readJsonObject } from '../checkpoint/json';
import { INDEX_FILE, WEIGHTS_FILE } from '../checkpoint/checkpoint';
import { floatTensor } from '../checkpoint/floatTensor';
import { elements } from '../checkpoint/modelTensors';
import { writeSafetensorsAsync } from '../checkpoint/safetensorsWriter';
import type { Variable } from './backend/graphBuilder';
import type { ResidentModel } from './residentModel';
import type { ComputeDType } from './types';

/** Values of a file. */
const SHARD_VALUES = 512 * 1024 * 1024;

const BYTES = { float32: 4, bfloat16: 2, float16: 2 } as const;
const STORED = { float32: 'F32', bfloat16: 'BF16', float16: 'F16' } as const;

/** Files that make a checkpoint loadable by itself. */
const COMPANIONS =
  /^(generation_config\.json|tokenizer.*\.(model|json)|ice_text\.model|special_tokens_map\.json|added_tokens\.json|chat_template\.jinja|(configuration|modeling|tokenization|quantization)_chatglm\.py)$/;

/** Writes every parameter in `dtype`, in shards where one file would be large, and copies the files that belong to the model. */
export async function saveModel(
  directory: string,
  resident: ResidentModel,
  dtype: ComputeDType,
): Promise<void> {
  for (const name of fs.readdirSync(resident.directory).filter((file) => COMPANIONS.test(file)))
    fs.copyFileSync(path.join(resident.directory, name), path.join(directory, name));
  writeJsonAtomic(
    path.join(directory, CONFIG_FILE),
    configOf(readJsonObject(path.join(resident.directory, CONFIG_FILE)), dtype),
  );
  const shards = inShards([...resident.variables.values()]);
  const map: Record<string, string> = {};
  let bytes = 0;
  for (const [i, shard] of shards.entries()) {
    const file = shards.length === 1 ? WEIGHTS_FILE : shardName(i, shards.length);
    // One tensor after the other: the model is in memory once already.
    const tensors = shard.map((variable) => ({
      name: variable.name,
      dtype: STORED[dtype],
      shape: [...variable.shape],
      data: async () =>
        floatTensor(variable.name, variable.shape, await resident.store.read(variable), STORED[dtype]).data,
    }));
    await writeSafetensorsAsync(path.join(directory, file), tensors);
    for (const { name, shape } of shard) {
      map[name] = file;
      bytes += elements(shape) * BYTES[dtype];
    }
  }
  if (shards.length > 1)
    writeJsonAtomic(path.join(directory, INDEX_FILE), { metadata: { total_size: bytes }, weight_map: map });
}

/** The configuration with the format that the weights are written in; nothing about quantisation is true of them. */
function configOf(json: Readonly<Record<string, unknown>>, dtype: ComputeDType): Record<string, unknown> {
  const { quantization_bit: _bits, quantization_config: _config, ...rest } = json;
  // transformers 5 has another name for it.
  return 'dtype' in rest ? { ...rest, dtype } : { ...rest, torch_dtype: dtype };
}

function shardName(index: number, count: number): string {
  const pad = (n: number): string => String(n).padStart(5, '0');
  return `model-${pad(index + 1)}-of-${pad(count)}.safetensors`;
}

function inShards(variables: readonly Variable[]): Variable[][] {
  const shards: Variable[][] = [[]];
  let values = 0;
  for (const variable of variables) {
    const size = elements(variable.shape);
    if (values > 0 && values + size > SHARD_VALUES) {
      shards.push([]);
      values = 0;
    }
    shards[shards.length - 1].push(variable);
    values += size;
  }
  return shards;
}
