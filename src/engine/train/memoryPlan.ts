/**
 * How much memory a run will take, from sizes alone. The coefficients count the values that a step keeps for its backward pass;
 * they were set against the peaks of float32 runs of a model of 31 M parameters (1 to 16 rows of 256 and 1024 tokens). Runs of the
 * practice model came to 0.85 to 1.1 times the plan, a QLoRA step of ChatGLM3-6B's size to 0.8 times.
 */
import { elements } from '../../checkpoint/modelTensors';
import type { ModelStructure } from '../../checkpoint/structure';
import type { MemoryPlan } from '../../protocol/events';
import type { ComputeDType } from '../types';

/** Shape of a micro-batch: rows, tokens of each with padding, positions that go through the output layer. */
export interface BatchShape {
  batch: number;
  length: number;
  k: number;
}

/** What of a run its memory depends on, besides the data. */
export interface MemorySubject {
  structure: ModelStructure;
  dtype: ComputeDType;
  /** Of weights that are not trained. */
  storedDType: ComputeDType;
  method: 'lora' | 'ptuning_v2' | 'full';
  /** Bits of the weights of the blocks' linear layers; null: stored in `dtype`. */
  linearBits: number | null;
  /** Module paths that carry an adapter. */
  adapted: ReadonlySet<string>;
  /** Entries before the first token of every layer. */
  prefixLength: number;
  /** Numbers that are trained. */
  trained: number;
  optimizerBytes: number;
  gradientCheckpointing: boolean;
}

/** Node, the library and its own data: what a process takes before it has a model. */
const PROCESS = 500 * 2 ** 20;
/** Compiled functions of a few shapes: of the pass around the blocks, and of each block. */
const PROGRAM = 64 * 2 ** 20;
const PROGRAM_PER_LAYER = 7 * 2 ** 20;

const dtypeBytes = (dtype: ComputeDType): number => (dtype === 'float32' ? 4 : 2);

/** The plan of a run whose largest micro-batch is `shape`; `available` are the bytes it may take. */
export function planMemory(subject: MemorySubject, shape: BatchShape, available: number): MemoryPlan {
  const { structure, trained, optimizerBytes } = subject;
  const weights = weightBytes(subject);
  const gradients = 4 * trained;
  const activations = activationBytes(subject, shape);
  const overhead = PROCESS + PROGRAM + PROGRAM_PER_LAYER * structure.layers;
  const total = weights + gradients + optimizerBytes + activations + overhead;
  return { weights, gradients, optimizer: optimizerBytes, activations, overhead, total, available };
}

/** The model's parameters as they stay in memory, and adapters in float32. */
function weightBytes({ structure, storedDType, method, linearBits, trained }: MemorySubject): number {
  const packed = new Set(
    linearBits === null ? [] : structure.linears.map(({ module }) => `${module}.weight`),
  );
  const model = structure.tensors.reduce((sum, { name, shape }) => {
    const wide = method === 'full' || structure.isNorm(name);
    const bytes = packed.has(name) ? linearBits! / 8 : wide ? 4 : dtypeBytes(storedDType);
    return sum + bytes * elements(shape);
  }, 0);
  return model + (method === 'full' ? 0 : 4 * trained);
}

/**
 * Values of a training pass at its peak: what the backward pass needs of the forward pass, and the widest of what comes and goes.
 * With gradient checkpointing the input of every block stays and one block's values at a time.
 */
export function activationBytes(subject: MemorySubject, { batch, length, k }: BatchShape): number {
  const { structure, dtype, method, gradientCheckpointing, prefixLength } = subject;
  const bytes = dtypeBytes(dtype);
  const tokens = batch * length;
  const { layers, hiddenSize, vocabSize, heads } = structure;
  const scores = batch * heads * length * (length + prefixLength);
  // Softmax is float32: in other dtypes it is a value of its own, for a moment.
  const passing = scores * (dtype === 'float32' ? 4 : 8) + unpackedBytes(subject);
  const block = tokens * tokenBytes(subject) + scores * bytes;
  const kept = gradientCheckpointing ? layers * tokens * 4 * hiddenSize + 2 * block : layers * block;
  const output = 6 * k * vocabSize;
  // The masters are float32: every pass has a copy of them in the compute dtype.
  const casts = method === 'full' && dtype !== 'float32' ? 2 * subject.trained : 0;
  return Math.round(kept + passing + output + casts);
}

/** Bytes that one block keeps for each token, attention probabilities aside. */
function tokenBytes({ structure, dtype, method, adapted }: MemorySubject): number {
  const bytes = dtypeBytes(dtype);
  const { hiddenSize, heads, groups, headDim, linears, layers } = structure;
  const block = linears.slice(0, linears.length / layers);
  const isTrained = (module: string): boolean => method === 'full' || adapted.has(module);
  // A matrix that is trained needs its input again; layers that share an input keep it once.
  const inputs = new Map(
    block
      .filter(({ module }) => isTrained(module))
      .map(({ module, inFeatures }) => [role(module), inFeatures]),
  );
  const kept = [...inputs.values()].reduce((sum, size) => sum + size, 0);
  const attention = (2 * heads + 2 * groups) * headDim;
  const inner = block[block.length - 1].inFeatures;
  // Two residual streams in float32; of the MLP two factors and the activation's slope.
  return 2 * 4 * hiddenSize + bytes * (kept + attention + 3 * inner);
}

/** What a linear layer reads: query, key and value projections read the same. */
function role(module: string): string {
  const name = module.slice(module.lastIndexOf('.') + 1);
  return /^[qkv]_proj$/.test(name) ? 'qkv' : name;
}

/** Packed weights are unpacked one after the other, in pieces; what an adapter does to a whole one (DoRA) holds two at a time. */
function unpackedBytes({ structure, dtype, linearBits }: MemorySubject): number {
  if (linearBits === null) return 0;
  const largest = structure.linears.reduce(
    (most, { inFeatures, outFeatures }) => Math.max(most, inFeatures * outFeatures),
    0,
  );
  return 2 * largest * dtypeBytes(dtype);
}
