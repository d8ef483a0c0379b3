/** P-Tuning v2 adapters on disk: THUDM's prefix state and PEFT's prefix tuning. */
import fs from 'node:fs';
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import {
  ADAPTER_CONFIG,
  ADAPTER_TORCH_WEIGHTS,
  ADAPTER_WEIGHTS,
  MODEL_CONFIG,
  PREFIX_ENCODER,
} from './adapterNames';
import { openWeights } from './checkpoint';
import { readJsonObject } from './json';
import { findProblems, throwProblems } from './modelDoctor';
import { prefixShapes, prefixTensorName, PREFIX_PARTS, type PrefixShapes } from './prefix';
import { parsePeftPrefix, parseThudmPrefix, peftPrefixSizes, type PeftPrefixSizes } from './prefixConfig';
import { openSafetensors } from './safetensors';
import { renameTensors } from './tensorView';
import { openTorchFiles } from './torchFile/reader';
import type { ModelConfig, PrefixConfig, TensorReader } from './types';

/** PEFT's only tensor: the encoder's result `[entries, width]`. */
export const PROMPT_EMBEDDINGS = 'prompt_embeddings';

export interface PrefixFiles {
  kind: 'prefix';
  directory: string;
  /** As it can be used: without projection where only the projection's result was saved. */
  config: PrefixConfig;
  /** Tensors by the names of `prefixShapes`. */
  reader: TensorReader;
  /** `lost`: the result of a projection without its parameters, good for use and not for further training of them. */
  projection: 'none' | 'kept' | 'lost';
  /** PEFT's record of the model's sizes. */
  sizes: PeftPrefixSizes | null;
}

/** Opens PEFT's weights of an adapter, whatever format they are in. Throws GlmError `checkpoint.noAdapter`. */
export function openAdapterWeights(directory: string): TensorReader {
  const safetensors = path.join(directory, ADAPTER_WEIGHTS);
  if (fs.existsSync(safetensors)) return openSafetensors([safetensors]);
  const torch = path.join(directory, ADAPTER_TORCH_WEIGHTS);
  if (fs.existsSync(torch)) return openTorchFiles([torch]);
  throw new GlmError('checkpoint.noAdapter', { path: directory });
}

/** Opens a directory whose `adapter_config.json` says PREFIX_TUNING. */
export function openPeftPrefix(directory: string, json: Readonly<Record<string, unknown>>): PrefixFiles {
  const { config, sizes } = parsePeftPrefix(json, path.join(directory, ADAPTER_CONFIG));
  const encoder = path.join(directory, PREFIX_ENCODER);
  const common = { kind: 'prefix', directory, sizes } as const;
  if (config.prefix_projection && fs.existsSync(encoder)) {
    return { ...common, config, reader: openSafetensors([encoder]), projection: 'kept' };
  }
  const names = new Map([[prefixTensorName('peft', 'embedding'), PROMPT_EMBEDDINGS]]);
  const reader = renameTensors(openAdapterWeights(directory), names);
  const used = { ...config, prefix_projection: false, encoder_hidden_size: null };
  return { ...common, config: used, reader, projection: config.prefix_projection ? 'lost' : 'none' };
}

/** Opens a directory with `transformer.prefix_encoder.*` tensors, alone or inside a whole model; null where there are none. */
export function openThudmPrefix(directory: string): PrefixFiles | null {
  const weights = openWeights(directory);
  try {
    const names = thudmNames(weights);
    const table = weights.tensors.get(names.get(prefixTensorName('thudm', 'embedding')) ?? '');
    if (!table) {
      weights.close();
      return null;
    }
    const reader = renameTensors(weights, names);
    const inner = reader.tensors.get(prefixTensorName('thudm', 'innerWeight'));
    const file = path.join(directory, MODEL_CONFIG);
    const said = fs.existsSync(file) ? parseThudmPrefix(readJsonObject(file), file) : null;
    const projection = said?.prefix_projection ?? inner !== undefined;
    const config: PrefixConfig = {
      variant: 'thudm',
      pre_seq_len: said?.pre_seq_len ?? table.shape[0] ?? 0,
      prefix_projection: projection,
      encoder_hidden_size: projection ? (inner?.shape[0] ?? null) : null,
      base_model_name_or_path: said?.base ?? null,
    };
    return {
      kind: 'prefix',
      directory,
      config,
      reader,
      projection: projection ? 'kept' : 'none',
      sizes: null,
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

/** Some tools strip `transformer.`, as THUDM's loader does before it fills the encoder. */
function thudmNames({ tensors }: TensorReader): Map<string, string> {
  const stored = (name: string): string => (tensors.has(name) ? name : name.replace(/^transformer\./, ''));
  return new Map(
    PREFIX_PARTS.map((part) => prefixTensorName('thudm', part)).map((name) => [name, stored(name)]),
  );
}

/**
 * Compares a prefix with the model it shall be put before.
 * @returns shapes of its tensors; throws GlmError `adapter.otherModel`, `adapter.oldPrefix`, `checkpoint.doesNotFit`
 */
export function checkPrefix(files: PrefixFiles, model: ModelConfig): PrefixShapes {
  const { config, directory, reader, sizes } = files;
  if (sizes) checkSizes(files, sizes, peftPrefixSizes(model, config));
  const shapes = prefixShapes(model, config);
  const problems = findProblems(shapes.tensors, reader.tensors);
  if (problems.length > 0) refuseOldWidths(files, model, shapes);
  throwProblems(directory, problems, 'adapter');
  return shapes;
}

function checkSizes({ directory }: PrefixFiles, found: PeftPrefixSizes, expected: PeftPrefixSizes): void {
  for (const key of ['num_layers', 'num_attention_heads', 'token_dim'] as const) {
    if (found[key] === expected[key]) continue;
    const file = path.join(directory, ADAPTER_CONFIG);
    throw new GlmError('adapter.otherModel', { path: file, key, found: found[key], expected: expected[key] });
  }
}

/**
 * For a week in 2023 ChatGLM2's encoder had a table as wide as the hidden states and made a key and a value of that width for every
 * layer, more than its grouped attention can take.
 */
function refuseOldWidths({ directory, reader }: PrefixFiles, model: ModelConfig, shapes: PrefixShapes): void {
  if (model.architecture !== 'chatglm2') return;
  const old = shapes.layers * 2 * model.hidden_size;
  for (const { name, part, shape } of shapes.tensors) {
    const found = reader.tensors.get(name)?.shape;
    if (!found) continue;
    const isTable = part === 'embedding' && (found[1] === model.hidden_size || found[1] === old);
    const isResult = (part === 'outerWeight' || part === 'outerBias') && found[0] === old;
    if (!isTable && !isResult) continue;
    if (found.join() === shape.join()) continue;
    throw new GlmError('adapter.oldPrefix', {
      path: directory,
      tensor: name,
      found: `[${found.join()}]`,
      expected: `[${shape.join()}]`,
    });
  }
}

/** Throws GlmError `adapter.projectionLost` where there is nothing that a projection could be trained further from. */
export function requireEncoder({ directory, projection }: PrefixFiles): void {
  if (projection === 'lost') throw new GlmError('adapter.projectionLost', { path: directory });
}
