/** Writing of P-Tuning v2 adapters in the format of their variant. */
import fs from 'node:fs';
import path from 'node:path';
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  MODEL_CONFIG,
  PREFIX_ENCODER,
  PREFIX_RECORD,
  PREFIX_TORCH_WEIGHTS,
} from './adapterNames';
import { writeDirectoryAtomic, writeJsonAtomic } from './atomic';
import { readJsonObject } from './json';
import { floatTensor } from './floatTensor';
import { prefixPositionOffset, prefixShapes, type PrefixPart, type PrefixShapes } from './prefix';
import { peftPrefixJson, prefixRecord } from './prefixConfig';
import { PROMPT_EMBEDDINGS } from './prefixFiles';
import { writeSafetensors } from './safetensorsWriter';
import { writeTorchFile } from './torchFile/writer';
import type { ModelConfig, PrefixConfig } from './types';

export interface PrefixToWrite {
  config: PrefixConfig;
  model: ModelConfig;
  /** Directory of the base model, whose `config.json` stands beside a THUDM prefix. */
  base: string;
  /** The trained values by tensor name. */
  values: ReadonlyMap<string, Float32Array>;
}

/**
 * Writes a prefix: `thudm` as `pytorch_model.bin` beside the base's `config.json` with `pre_seq_len` and `prefix_projection`; `peft` as
 * `adapter_model.safetensors` and `adapter_config.json`, with the parameters of a projection in a file of our own. Replaces what is there
 * only when the new one is complete.
 * @param beside further files of the directory, written before it gets its name
 */
export function writePrefix(
  directory: string,
  prefix: PrefixToWrite,
  beside?: (temporary: string) => void,
): void {
  const shapes = prefixShapes(prefix.model, prefix.config);
  writeDirectoryAtomic(directory, (temporary) => {
    if (prefix.config.variant === 'thudm') writeThudm(temporary, prefix, shapes);
    else writePeft(temporary, prefix, shapes);
    writeJsonAtomic(path.join(temporary, PREFIX_RECORD), prefixRecord(prefix.config, prefix.model));
    beside?.(temporary);
  });
}

function writeThudm(directory: string, { config, base, values }: PrefixToWrite, shapes: PrefixShapes): void {
  writeTorchFile(path.join(directory, PREFIX_TORCH_WEIGHTS), encoderTensors(shapes, values));
  const source = path.join(base, MODEL_CONFIG);
  const json = fs.existsSync(source) ? readJsonObject(source) : {};
  const { pre_seq_len, prefix_projection } = config;
  writeJsonAtomic(path.join(directory, MODEL_CONFIG), { ...json, pre_seq_len, prefix_projection });
}

function writePeft(directory: string, { config, model, values }: PrefixToWrite, shapes: PrefixShapes): void {
  const result = encodeOnHost(shapes, config.pre_seq_len, values);
  const tensor = floatTensor(PROMPT_EMBEDDINGS, [config.pre_seq_len, shapes.width], result);
  const metadata = {
    format: 'pt',
    prefix_variant: config.variant,
    position_offset: String(prefixPositionOffset(config)),
  };
  writeSafetensors(path.join(directory, ADAPTER_WEIGHTS), [tensor], metadata);
  writeJsonAtomic(path.join(directory, ADAPTER_CONFIG), peftPrefixJson(config, model));
  if (config.prefix_projection) {
    writeSafetensors(path.join(directory, PREFIX_ENCODER), encoderTensors(shapes, values), metadata);
  }
}

function encoderTensors({ tensors }: PrefixShapes, values: ReadonlyMap<string, Float32Array>) {
  return tensors.map(({ name, shape }) => floatTensor(name, shape, valuesOf(values, name)));
}

function valuesOf(values: ReadonlyMap<string, Float32Array>, name: string): Float32Array {
  const found = values.get(name);
  if (!found) throw new RangeError(`${name} is not given`);
  return found;
}

/** The encoder's result `[entries, width]`, row-major, with sums in float64. */
export function encodeOnHost(
  shapes: PrefixShapes,
  entries: number,
  values: ReadonlyMap<string, Float32Array>,
): Float32Array {
  const part = (wanted: PrefixPart): Float32Array | null => {
    const tensor = shapes.tensors.find((candidate) => candidate.part === wanted);
    return tensor ? valuesOf(values, tensor.name) : null;
  };
  const table = part('embedding')!;
  const [innerWeight, innerBias] = [part('innerWeight'), part('innerBias')];
  const [outerWeight, outerBias] = [part('outerWeight'), part('outerBias')];
  if (!innerWeight || !innerBias || !outerWeight || !outerBias) return table;
  const inner = affine(table, entries, innerWeight, innerBias).map(Math.tanh);
  return affine(inner, entries, outerWeight, outerBias);
}

/** x [rows, in] · weightᵀ [in, out] + bias [out] -> [rows, out]. */
function affine(x: Float32Array, rows: number, weight: Float32Array, bias: Float32Array): Float32Array {
  const out = bias.length;
  const width = weight.length / out;
  const result = new Float32Array(rows * out);
  for (let column = 0; column < out; column++) {
    const weights = weight.subarray(column * width, (column + 1) * width);
    for (let row = 0; row < rows; row++) {
      let sum = bias[column];
      for (let k = 0; k < width; k++) sum += x[row * width + k] * weights[k];
      result[row * out + column] = sum;
    }
  }
  return result;
}
