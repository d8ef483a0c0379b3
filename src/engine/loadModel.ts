/** Loads a checkpoint into the library's memory without a second copy. */
import { openCheckpoint } from '../checkpoint/checkpoint';
import { checkModel } from '../checkpoint/modelDoctor';
import { structureOf } from '../checkpoint/structure';
import type { TensorEntry, TensorReader } from '../checkpoint/types';
import { GlmError } from '../protocol/errors';
import { backend } from './backend/backend';
import type { Variable } from './backend/graphBuilder';
import type { DType } from './backend/ops';
import type { StagedTensor } from './backend/tensor';
import { createModel } from './glm/registry';
import { packedSources, storePacked, storesIntegers, type PackedSource } from './packedLinear';
import { ResidentModel, type PackedLinear } from './residentModel';
import type { ComputeDType } from './types';
import { inGroups } from './variableStore';

/** Bytes read from a file at a time: big enough for the disk, small beside any model. */
const PIECE_BYTES = 16 * 1024 * 1024;

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
  const { directory, dtype, trainable } = options;
  const checkpoint = openCheckpoint(directory);
  try {
    const { config, reader } = checkpoint;
    checkModel(directory, config, reader);
    const model = createModel(config);
    const sources = packedSources(checkpoint, options.quantization ?? null);
    if (trainable && sources.size > 0) throw new GlmError('engine.packedTrainable', { path: directory });
    if (options.quantization && storesIntegers(checkpoint))
      throw new GlmError('engine.alreadyQuantised', { path: directory });
    const variables = structureOf(config)
      .tensors.filter(({ name }) => !sources.has(name))
      .map(({ name, shape }): [string, Variable] => {
        const wide = trainable || model.isNorm(name);
        return [name, { name, shape, dtype: wide ? 'float32' : dtype }];
      });
    const packed = new Map<string, PackedLinear>();
    const resident = new ResidentModel(directory, model, dtype, new Map(variables), packed);
    try {
      await readWeights(resident, reader, options.cancelled);
      for (const [name, source] of sources) packed.set(name, await packInto(resident, name, source, options));
      return resident;
    } catch (error) {
      await resident.close();
      throw error;
    }
  } finally {
    checkpoint.reader.close();
  }
}

async function packInto(
  resident: ResidentModel,
  name: string,
  source: PackedSource,
  { cancelled }: ResidentOptions,
): Promise<PackedLinear> {
  giveUpIf(cancelled);
  return storePacked(resident.store, name, source());
}

/** Fills the dense variables of a model from a reader that has all of them. */
export async function readWeights(
  resident: ResidentModel,
  reader: TensorReader,
  cancelled?: () => boolean,
): Promise<void> {
  for (const group of inGroups([...resident.variables.values()])) {
    giveUpIf(cancelled);
    await assignFrom(resident, reader, group);
  }
}

function giveUpIf(cancelled?: () => boolean): void {
  if (cancelled?.()) throw new LoadCancelled('loading was cancelled');
}

async function assignFrom(
  { store }: ResidentModel,
  reader: TensorReader,
  variables: readonly Variable[],
): Promise<void> {
  const tensors: StagedTensor[] = [];
  const dtypes: DType[] = [];
  try {
    for (const variable of variables) {
      const entry = reader.tensors.get(variable.name);
      const stored = entry && STORED[entry.dtype];
      if (!entry || !stored) throw new Error(`${variable.name} was not checked`);
      const tensor = backend().stage(variable.shape, stored);
      tensors.push(tensor);
      dtypes.push(stored);
      copyTensor(reader, entry, tensor);
    }
    await store.assign(variables, dtypes, tensors);
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}

/** Streams a tensor of a file into the library's memory. */
function copyTensor(reader: TensorReader, { name, byteLength }: TensorEntry, target: StagedTensor): void {
  const piece = new Uint8Array(Math.min(PIECE_BYTES, byteLength));
  for (let offset = 0; offset < byteLength; offset += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, byteLength - offset));
    reader.readSlice(name, offset, part);
    target.write(part, offset);
  }
}
