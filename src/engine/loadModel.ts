/** Loads a checkpoint into the library's memory without a second copy. */
import { openCheckpoint } from '../checkpoint/checkpoint';
import { checkModel } from '../checkpoint/modelDoctor';
import { structureOf } from '../checkpoint/structure';
import type { TensorEntry, TensorReader } from '../checkpoint/types';
import { GlmError } from '../protocol/errors';
import { computeDType, storedDType } from './backend/backend';
import type { Variable } from './backend/graphBuilder';
import type { DType } from './backend/ops';
import type { StoredTensor } from './backend/storedTensor';
import { createModel } from './glm/registry';
import { portableBytes, requireHeap } from './portableLimit';
import { packedSources, storePacked, storesIntegers, type PackedSource } from './packedLinear';
import { PackingPool } from './packingPool';
import { ResidentModel, type PackedLinear } from './residentModel';
import type { ComputeDType } from './types';

/** Tensors that are read at the same time. */
const LANES = 2;

const STORED: Partial<Record<string, DType>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

export interface ResidentOptions {
  directory: string;
  dtype: ComputeDType;
  /** Keep matrices in float32 whatever the compute dtype is: they are trained. */
  trainable: boolean;
  /** Pack the linear layers of the blocks while they are read; null: only what the checkpoint has packed itself. */
  quantization?: { type: 'nf4'; double_quant: boolean } | null;
  /** Asked between tensors; true gives up with a `LoadCancelled`. */
  cancelled?: () => boolean;
}

/** Loading was given up because its caller asked for it. */
export class LoadCancelled extends Error {}

/**
 * Loads a checkpoint directory. Every tensor is checked against the configuration first; then it is streamed into the library's
 * memory. Throws `checkpoint.*`.
 */
export async function loadModel(options: ResidentOptions): Promise<ResidentModel> {
  const { directory, trainable } = options;
  const dtype = computeDType(options.dtype);
  const stored = storedDType(options.dtype);
  const checkpoint = openCheckpoint(directory);
  try {
    const { config, reader } = checkpoint;
    checkModel(directory, config, reader);
    const model = createModel(config);
    const sources = packedSources(checkpoint, options.quantization ?? null);
    if (trainable && sources.size > 0) throw new GlmError('engine.packedTrainable', { path: directory });
    if (options.quantization && storesIntegers(checkpoint))
      throw new GlmError('engine.alreadyQuantised', { path: directory });
    requireHeap(directory, portableBytes(config, sources));
    const variables = structureOf(config)
      .tensors.filter(({ name }) => !sources.has(name))
      .map(({ name, shape }): [string, Variable] => {
        const wide = trainable || model.isNorm(name);
        return [name, { name, shape, dtype: wide ? 'float32' : stored }];
      });
    const packed = new Map<string, PackedLinear>();
    const resident = new ResidentModel(directory, model, dtype, new Map(variables), packed);
    try {
      await readWeights(resident, reader, { updated: trainable, cancelled: options.cancelled });
      await packWeights(resident, packed, sources, reader, options.cancelled);
      return resident;
    } catch (error) {
      await resident.close();
      throw error;
    }
  } finally {
    checkpoint.reader.close();
  }
}

/** As many matrices at a time as there are threads to pack them. */
async function packWeights(
  resident: ResidentModel,
  packed: Map<string, PackedLinear>,
  sources: ReadonlyMap<string, PackedSource>,
  reader: TensorReader,
  cancelled?: () => boolean,
): Promise<void> {
  const pool = new PackingPool(reader);
  try {
    await inLanes([...sources], pool.width, async ([name, source]) => {
      giveUpIf(cancelled);
      packed.set(name, await storePacked(resident.store, name, await source(pool)));
    });
  } finally {
    await pool.close();
  }
}

/** Works on all items, `width` of them at a time; throws the first error when nothing is under way any more. */
async function inLanes<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (failed) return;
      await work(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
}

/**
 * Fills the dense variables of a model from a reader that has all of them. Several at a time: while one waits for its file, another
 * is converted.
 */
export async function readWeights(
  resident: ResidentModel,
  reader: TensorReader,
  { updated, cancelled }: { updated: boolean; cancelled?: () => boolean },
): Promise<void> {
  const giveUp = (): void => giveUpIf(cancelled);
  await inLanes(inFileOrder([...resident.variables.values()], reader), LANES, async ({ variable, entry }) => {
    giveUp();
    await resident.session.load(variable, storedTensor(reader, entry), { updated, giveUp });
  });
}

interface Waiting {
  variable: Variable;
  entry: TensorEntry;
}

function inFileOrder(variables: readonly Variable[], reader: TensorReader): Waiting[] {
  const waiting = variables.map((variable): Waiting => {
    const entry = reader.tensors.get(variable.name);
    if (!entry) throw new Error(`${variable.name} was not checked`);
    return { variable, entry };
  });
  return waiting.sort(
    ({ entry: a }, { entry: b }) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.offset - b.offset,
  );
}

function storedTensor(
  reader: TensorReader,
  { name, dtype, byteLength, file, offset }: TensorEntry,
): StoredTensor {
  const stored = STORED[dtype];
  if (!stored) throw new Error(`${name} was not checked`);
  return {
    dtype: stored,
    byteLength,
    file: { path: file, descriptor: reader.descriptor(name), position: offset },
    read: (at, target) => reader.readSlice(name, at, target),
  };
}

function giveUpIf(cancelled?: () => boolean): void {
  if (cancelled?.()) throw new LoadCancelled('loading was cancelled');
}
