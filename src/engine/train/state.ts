/** Checkpoints of a run: everything that is needed to go on as if it had never stopped. */
import fs from 'node:fs';
import path from 'node:path';
import {
  ADAPTER_WEIGHTS,
  loraTensorName,
  openAdapter,
  writeAdapter,
  type LoraWeights,
} from '../../checkpoint/adapter';
import { writeDirectoryAtomic, writeJsonAtomic } from '../../checkpoint/atomic';
import { openWeights, WEIGHTS_FILE } from '../../checkpoint/checkpoint';
import { elements } from '../../checkpoint/modelTensors';
import { openSafetensors } from '../../checkpoint/safetensors';
import { writeSafetensors } from '../../checkpoint/safetensorsWriter';
import type { TensorToWrite } from '../../checkpoint/types';
import { GlmError } from '../../protocol/errors';
import { concatenate, type LoraLayout, type ResidentModel } from '../residentModel';
import { toBFloat16 } from '../backend/bfloat16';
import type { Trainables } from './trainables';

export const STATE_FILE = 'state.json';
export const OPTIMIZER_FILE = 'optimizer.safetensors';

/** `state.json` of a checkpoint. Random numbers are functions of the seed and these counters, so there is no generator to save. */
export interface RunState {
  version: 1;
  /** Updates done. */
  step: number;
  /** Rows taken from the training stream. */
  rowsConsumed: number;
  bestEvalLoss: number | null;
  bestCheckpoint: string | null;
  /** Evaluations since the best one. */
  evaluationsWithoutImprovement: number;
  /** Losses of the first steps, for the summary. */
  firstLosses: number[];
  lastLosses: number[];
}

/** Files that make a full checkpoint loadable by itself. */
const COMPANIONS = [
  'config.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
];

/** Writes a checkpoint directory; it appears under its name only when it is complete. */
export async function saveCheckpoint(
  directory: string,
  resident: ResidentModel,
  trainables: Trainables,
  state: RunState,
): Promise<void> {
  const optimizer: TensorToWrite[] = [];
  for (const { variable, m, v } of trainables.groups)
    for (const moment of [m, v])
      optimizer.push(tensor(moment.name, variable.shape, await resident.read(moment)));
  const beside = (temporary: string): void => {
    writeSafetensors(path.join(temporary, OPTIMIZER_FILE), optimizer);
    writeJsonAtomic(path.join(temporary, STATE_FILE), state);
  };
  await saveWeights(directory, resident, 'float32', beside);
}

/** Writes the adapter (LoRA) or the whole model, replacing what is there only when it is complete. */
export async function saveWeights(
  directory: string,
  resident: ResidentModel,
  dtype: 'float32' | 'bfloat16',
  beside?: (temporary: string) => void,
): Promise<void> {
  if (resident.lora) {
    const layers = loraWeights(resident.lora, await resident.read(resident.lora.variable));
    writeAdapter(directory, resident.lora.config, layers, beside);
    return;
  }
  const weights = await resident.readAll([...resident.variables.values()]);
  const tensors = weights.map(([{ name, shape }, values]) => tensor(name, shape, values, dtype));
  writeDirectoryAtomic(directory, (temporary) => {
    writeSafetensors(path.join(temporary, WEIGHTS_FILE), tensors);
    for (const name of COMPANIONS) {
      const source = path.join(resident.directory, name);
      if (fs.existsSync(source)) fs.copyFileSync(source, path.join(temporary, name));
    }
    beside?.(temporary);
  });
}

function tensor(
  name: string,
  shape: readonly number[],
  values: Float32Array,
  dtype: 'float32' | 'bfloat16' = 'float32',
): TensorToWrite {
  const stored = dtype === 'bfloat16' ? toBFloat16(values) : values;
  const data = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  return { name, dtype: dtype === 'bfloat16' ? 'BF16' : 'F32', shape: [...shape], data };
}

/** The matrices of an adapter as views of its flat values. */
function loraWeights(layout: LoraLayout, flat: Float32Array): LoraWeights[] {
  let offset = 0;
  const take = (shape: readonly number[]): Float32Array => {
    const start = offset;
    offset += elements(shape);
    return flat.subarray(start, offset);
  };
  return layout.shapes.map(({ module, a, b }) => ({ module, a, b, aData: take(a), bData: take(b) }));
}

/**
 * Restores weights, moments and counters from a checkpoint of this run.
 * Throws `run.noCheckpoint` where a file is missing and `checkpoint.*` where one is broken.
 */
export async function loadCheckpoint(
  directory: string,
  resident: ResidentModel,
  trainables: Trainables,
): Promise<RunState> {
  const state = readState(directory);
  const optimizer = openSafetensors([path.join(directory, OPTIMIZER_FILE)]);
  try {
    const moments = trainables.groups.flatMap(({ m, v }) => [m, v]);
    await resident.writeAll(moments, ({ name }) => optimizer.readFloat32(name));
  } finally {
    optimizer.close();
  }
  await loadWeights(directory, resident);
  return state;
}

/** Reads the weights of a checkpoint of this run back into the model. */
export async function loadWeights(directory: string, resident: ResidentModel): Promise<void> {
  const { lora } = resident;
  if (!lora) {
    const reader = openWeights(directory);
    try {
      await resident.readWeights(reader);
    } finally {
      reader.close();
    }
    return;
  }
  const { reader } = openAdapter(directory);
  try {
    const parts = lora.shapes.flatMap(({ module }) => [
      reader.readFloat32(loraTensorName(module, 'A')),
      reader.readFloat32(loraTensorName(module, 'B')),
    ]);
    await resident.write(lora.variable, concatenate(parts));
  } finally {
    reader.close();
  }
}

function readState(directory: string): RunState {
  const weights = [ADAPTER_WEIGHTS, WEIGHTS_FILE].some((name) => fs.existsSync(path.join(directory, name)));
  const file = path.join(directory, STATE_FILE);
  if (!weights || !fs.existsSync(file) || !fs.existsSync(path.join(directory, OPTIMIZER_FILE)))
    throw new GlmError('run.noCheckpoint', { path: directory });
  try {
    const state = JSON.parse(fs.readFileSync(file, 'utf8')) as RunState;
    if (state.version === 1 && Number.isInteger(state.step) && Number.isInteger(state.rowsConsumed))
      return state;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new GlmError('run.noCheckpoint', { path: directory });
}
