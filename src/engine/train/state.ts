/** Checkpoints of a run: everything that is needed to go on as if it had never stopped. */
import fs from 'node:fs';
import path from 'node:path';
import { writeDirectoryAtomicAsync, writeJsonAtomic } from '../../checkpoint/atomic';
import { INDEX_FILE, openWeights, WEIGHTS_FILE } from '../../checkpoint/checkpoint';
import { floatTensor } from '../../checkpoint/floatTensor';
import { checkModel, findProblems, throwProblems } from '../../checkpoint/modelDoctor';
import { openSafetensors } from '../../checkpoint/safetensors';
import {
  writeSafetensors,
  writeSafetensorsAsync,
  type AwaitedTensor,
} from '../../checkpoint/safetensorsWriter';
import type { TensorToWrite } from '../../checkpoint/types';
import { GlmError } from '../../protocol/errors';
import { allGroups, type ResidentAdapter } from '../adapters/residentAdapter';
import { readAdapterTensors, saveAdapter, type AdapterTensors } from '../adapters/save';
import type { Variable } from '../backend/graphBuilder';
import { readWeights } from '../loadModel';
import type { ResidentModel } from '../residentModel';
import { saveModel } from '../saveModel';
import type { ComputeDType } from '../types';
import type { VariableStore } from '../variableStore';
import type { LossScaleState } from './lossScale';
import type { Trainables } from './trainables';

export const STATE_FILE = 'state.json';
export const OPTIMIZER_FILE = 'optimizer.safetensors';
/** The adapter's tensors as they are trained; the files beside it are what other programs read. */
export const TRAINABLE_FILE = 'trainable.safetensors';

/** `state.json` of a checkpoint. Random numbers are functions of the seed and these counters, so there is no generator to save. */
export interface RunState {
  version: 2;
  /** Steps done. */
  step: number;
  /** Updates done: fewer than steps where float16 gradients overflowed. */
  updates: number;
  /** Rows of a micro-batch: fewer than the run file says where memory ran out. */
  microBatch: number;
  /** Null unless training in float16. */
  lossScale: LossScaleState | null;
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

export function newState(microBatch: number): RunState {
  return {
    version: 2,
    step: 0,
    updates: 0,
    microBatch,
    lossScale: null,
    rowsConsumed: 0,
    bestEvalLoss: null,
    bestCheckpoint: null,
    evaluationsWithoutImprovement: 0,
    firstLosses: [],
    lastLosses: [],
  };
}

/** Writes a checkpoint directory; it appears under its name only when it is complete. */
export async function saveCheckpoint(
  directory: string,
  resident: ResidentModel,
  trainables: Trainables,
  state: RunState,
): Promise<void> {
  const { adapter, store } = resident;
  const optimizer = trainables.groups.flatMap((group) => group.state);
  if (!adapter) {
    await writeDirectoryAtomicAsync(directory, async (temporary) => {
      await saveModel(temporary, resident, 'float32');
      await writeVariables(path.join(temporary, OPTIMIZER_FILE), store, optimizer);
      writeJsonAtomic(path.join(temporary, STATE_FILE), state);
    });
    return;
  }
  const values = await readAdapterTensors(resident, adapter);
  const moments = await store.readAll(optimizer);
  saveAdapter(directory, resident, adapter, values, (temporary) => {
    writeSafetensors(path.join(temporary, TRAINABLE_FILE), trainableTensors(adapter, values));
    writeSafetensors(
      path.join(temporary, OPTIMIZER_FILE),
      moments.map(([{ name, shape }, moment]) => floatTensor(name, shape, moment)),
    );
    writeJsonAtomic(path.join(temporary, STATE_FILE), state);
  });
}

/** Writes variables one after the other: those of a whole model's optimiser are larger than the model itself. */
async function writeVariables(
  file: string,
  store: VariableStore,
  variables: readonly Variable[],
): Promise<void> {
  const tensors = variables.map((variable): AwaitedTensor => {
    const { name, shape } = variable;
    const data = async (): Promise<Uint8Array> => floatTensor(name, shape, await store.read(variable)).data;
    return { name, shape, dtype: 'F32', data };
  });
  await writeSafetensorsAsync(file, tensors);
}

/** Writes the adapter or the whole model, replacing what is there only when it is complete. */
export async function saveWeights(
  directory: string,
  resident: ResidentModel,
  dtype: ComputeDType,
): Promise<void> {
  const { adapter } = resident;
  if (adapter) saveAdapter(directory, resident, adapter, await readAdapterTensors(resident, adapter));
  else await writeDirectoryAtomicAsync(directory, (temporary) => saveModel(temporary, resident, dtype));
}

function trainableTensors(adapter: ResidentAdapter, values: AdapterTensors): TensorToWrite[] {
  return allGroups(adapter).flatMap(({ parts }) =>
    parts.map(({ name, shape }) => floatTensor(name, shape, values.get(name)!)),
  );
}

/**
 * Restores weights, the optimiser's state and counters from a checkpoint of this run.
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
    const variables = trainables.groups.flatMap((group) => group.state);
    throwProblems(directory, findProblems(variables, optimizer.tensors));
    await resident.store.writeAll(variables, ({ name }) => optimizer.readFloat32(name));
  } finally {
    optimizer.close();
  }
  await loadWeights(directory, resident);
  return state;
}

/** Reads the trained weights of a checkpoint of this run back into the model. */
export async function loadWeights(directory: string, resident: ResidentModel): Promise<void> {
  const { adapter } = resident;
  const reader = adapter ? openSafetensors([path.join(directory, TRAINABLE_FILE)]) : openWeights(directory);
  try {
    if (adapter) {
      const parts = allGroups(adapter).flatMap((group) => group.parts);
      throwProblems(directory, findProblems(parts, reader.tensors));
      await resident.setAdapter(adapter, ({ name }) => reader.readFloat32(name));
    } else {
      checkModel(directory, resident.model.config, reader);
      await readWeights(resident, reader, { updated: true });
    }
  } finally {
    reader.close();
  }
}

/** Reads `state.json` of a checkpoint. Throws `run.noCheckpoint` where it is not whole. */
export function readState(directory: string): RunState {
  const there = (name: string): boolean => fs.existsSync(path.join(directory, name));
  const weights = [TRAINABLE_FILE, WEIGHTS_FILE, INDEX_FILE].some(there);
  if (!weights || !there(STATE_FILE) || !there(OPTIMIZER_FILE))
    throw new GlmError('run.noCheckpoint', { path: directory });
  try {
    const state = JSON.parse(fs.readFileSync(path.join(directory, STATE_FILE), 'utf8')) as RunState;
    if (state.version === 2 && Number.isInteger(state.step) && Number.isInteger(state.rowsConsumed))
      return state;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new GlmError('run.noCheckpoint', { path: directory });
}
