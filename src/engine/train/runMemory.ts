/** The memory plan of a run: before it is loaded, when it starts, and per micro-batch. */
import { readConfig } from '../../checkpoint/config';
import { elements } from '../../checkpoint/modelTensors';
import { structureOf } from '../../checkpoint/structure';
import type { ModelConfig } from '../../checkpoint/types';
import type { MemoryPlan } from '../../protocol/events';
import type { RunFile } from '../../protocol/run';
import type { ResidentAdapter } from '../adapters/residentAdapter';
import { computeDType, storedDType } from '../backend/backend';
import { createModel } from '../glm/registry';
import { freeMemory } from '../memory';
import { bucketLength } from '../shapes';
import { readRunData, type RowModel, type RunData } from './data';
import { planMemory, type BatchShape, type MemorySubject } from './memoryPlan';
import { adapterLayout } from './methodLayout';
import { bucketCount } from './microBatch';
import { optimisers, stateBytes, type OptimisedGroup } from './optimisers';
import { planRun, type RunPlan } from './plan';
import { labelCount, type TrainingRow } from './rows';

/** Bits of an NF4 weight with the scale of its block of 64: with double quantisation 8 bits, else float32. */
const NF4_BITS = { double: 4 + 8 / 64 + 32 / (64 * 256), single: 4 + 32 / 64 };

/** What of a run its memory depends on; `adapter` is what it trains, null in full fine-tuning. */
export function memorySubject(
  { training, quantization, method }: RunFile,
  config: ModelConfig,
  adapter: ResidentAdapter | null,
): MemorySubject {
  const structure = structureOf(config);
  const groups: readonly OptimisedGroup[] = adapter?.groups ?? wholeModel(structure.tensors);
  return {
    structure,
    dtype: computeDType(training.dtype),
    storedDType: storedDType(training.dtype),
    method: method.type,
    linearBits: quantization ? NF4_BITS[quantization.double_quant ? 'double' : 'single'] : storedBits(config),
    adapted: new Set(adapter?.kind === 'lora' ? adapter.shapes.map(({ module }) => module) : []),
    prefixLength: adapter?.kind === 'prefix' ? adapter.config.pre_seq_len : 0,
    trained: groups.reduce((sum, { variable }) => sum + elements(variable.shape), 0),
    optimizerBytes: stateBytes(optimisers[training.optimizer], groups),
    gradientCheckpointing: training.gradient_checkpointing,
  };
}

function wholeModel(tensors: readonly { name: string; shape: readonly number[] }[]): OptimisedGroup[] {
  return tensors.map(({ name, shape }) => ({
    variable: { name, shape, dtype: 'float32' },
    parts: [{ name, shape }],
    isMatrix: shape.length > 1,
    lrFactor: 1,
  }));
}

/** Bits of the linear layers where the checkpoint itself is quantised. */
function storedBits(config: ModelConfig): number | null {
  return 'quantization_bit' in config && config.quantization_bit > 0 ? config.quantization_bit : null;
}

/** The largest micro-batch that `batch` of the rows can make. */
export function largestShape(rows: readonly TrainingRow[], batch: number): BatchShape {
  const length = bucketLength(rows.reduce((most, row) => Math.max(most, row.inputIds.length), 1));
  const counts = rows.map(labelCount).sort((a, b) => b - a);
  const trained = counts.slice(0, batch).reduce((sum, count) => sum + count, 0);
  return { batch, length, k: bucketCount(trained, batch * length) };
}

/** What the rows of a run depend on, of a model that is not loaded. */
export function rowModelOf(config: ModelConfig, adapter: ResidentAdapter | null): RowModel {
  const model = createModel(config);
  const offset =
    adapter?.kind === 'prefix' && adapter.config.variant === 'peft' ? adapter.config.pre_seq_len : 0;
  return { model, maxLength: model.maxLength - offset };
}

/** The plan of a run whose model is not loaded: reads its configuration and its data. Throws what training would. */
export async function planUnloaded(
  run: RunFile,
): Promise<{ memory: MemoryPlan; plan: RunPlan; data: RunData; trained: number }> {
  const config = readConfig(run.model);
  const adapter = adapterLayout(run, config);
  const rowModel = rowModelOf(config, adapter);
  const data = await readRunData(run, rowModel);
  const plan = planRun(run, data, rowModel.maxLength);
  const subject = memorySubject(run, config, adapter);
  const shape = largestShape(plan.rows, run.training.batch_size);
  const memory = planMemory(subject, shape, freeMemory() + process.memoryUsage.rss());
  return { memory, plan, data, trained: subject.trained };
}
