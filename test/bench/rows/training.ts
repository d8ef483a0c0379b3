/** One training run, of ours and of the peer's, from the same description. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BatchShape, ModelSizes } from '../assets/shapes';
import type { Bench, Precision } from '../harness/bench';
import { ON_GPU } from '../harness/gpu';
import { jsonRecords, type JsonRecord } from '../harness/jsonLines';
import { runMeasured } from '../harness/measuredProcess';
import { median } from '../harness/statistics';
import type { Measurement } from '../harness/types';

export interface TrainingJob {
  sizes: ModelSizes;
  shape: BatchShape;
  method: 'lora' | 'prefix' | 'qlora' | 'full';
  checkpointing: boolean;
  /** Steps that are not timed: programs are compiled, memory is taken for the first time. */
  warmUp: number;
  timed: number;
}

/** The same on both sides. */
const LEARNING_RATE = 1e-3;
const WEIGHT_DECAY = 0.01;
const MAX_GRAD_NORM = 1;

export async function prepareTraining(bench: Bench, { sizes, shape }: TrainingJob): Promise<void> {
  await bench.assets.model(sizes);
  bench.assets.data(sizes.vocab_size, shape.tokens);
}

/** `chatglm-finetune train`, as a user runs it; a step's time is everything from the end of one step to the end of the next. */
export async function trainOurs(
  bench: Bench,
  job: TrainingJob,
  dtype: 'float32' | 'bfloat16',
): Promise<Measurement> {
  const directory = bench.freshDirectory();
  try {
    const runFile = path.join(directory, 'bench.glmtune.json');
    writeFileSync(runFile, JSON.stringify(await runFileOf(bench, job, dtype)));
    const args = [
      bench.cli,
      'train',
      '--json',
      '--config',
      runFile,
      '--run-dir',
      path.join(directory, 'run'),
    ];
    const { lines, peak } = await runMeasured(process.execPath, args);
    const events = jsonRecords(lines);
    const steps = events.filter(({ type }) => type === 'step');
    const done = events.find(({ type }) => type === 'done');
    const ends = steps.map(({ seconds }) => Number(seconds));
    const seconds = ends.map((end, i) => end - (ends[i - 1] ?? 0));
    const measured = measurementOf(
      job,
      steps,
      seconds,
      ON_GPU ? peak : Math.max(peak, Number(done?.peak_memory ?? 0)),
    );
    const plan = events.find(({ type }) => type === 'started')?.memory as { weights: number } | undefined;
    return { ...measured, details: { ...measured.details, weights: plan?.weights ?? NaN } };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A script of the peer's, told the same. */
export async function trainPeer(
  bench: Bench,
  job: TrainingJob,
  precision: Precision,
  { script = 'train_peft.py', compile = false }: { script?: string; compile?: boolean } = {},
): Promise<Measurement> {
  const { model, lora, prefix } = await bench.assets.model(job.sizes);
  const { records, peak } = await bench.measurePeer(script, {
    model,
    adapter: job.method === 'prefix' ? prefix : lora,
    method: job.method,
    precision,
    checkpointing: job.checkpointing,
    compile,
    data: bench.assets.data(job.sizes.vocab_size, job.shape.tokens),
    rows: job.shape.rows,
    steps: job.warmUp + job.timed,
    learning_rate: LEARNING_RATE,
    weight_decay: WEIGHT_DECAY,
    max_grad_norm: MAX_GRAD_NORM,
  });
  const steps = records.filter(({ type }) => type === 'step');
  const seconds = steps.map((step) => Number(step.seconds));
  return measurementOf(job, steps, seconds, peak);
}

/** The measurement as the time from the start of the process to the end of the first step. */
export function asFirstStep(measured: Measurement): Measurement {
  return { ...measured, value: measured.details?.firstStepAt ?? NaN };
}

function measurementOf(
  { shape, warmUp, timed }: TrainingJob,
  steps: readonly JsonRecord[],
  seconds: readonly number[],
  peak: number,
): Measurement {
  if (steps.length !== warmUp + timed) throw new Error(`${steps.length} steps instead of ${warmUp + timed}`);
  const step = median(seconds.slice(warmUp));
  return {
    value: (shape.rows * shape.tokens) / step,
    peak,
    losses: steps.map(({ loss }) => Number(loss)),
    memory: steps.map((event) => Number(event.memory)),
    details: { secondsPerStep: step, firstStepAt: steps[0].at },
  };
}

async function runFileOf(bench: Bench, job: TrainingJob, dtype: string): Promise<object> {
  const { model, lora, prefix } = await bench.assets.model(job.sizes);
  const { shape, method } = job;
  const adapters = { lora, qlora: lora, prefix, full: null };
  const methods = {
    lora: { type: 'lora', r: 8, lora_alpha: 16, target_modules: 'all-linear' },
    qlora: { type: 'lora', r: 8, lora_alpha: 16, target_modules: 'all-linear' },
    prefix: { type: 'ptuning_v2', variant: 'peft', pre_seq_len: 128 },
    full: { type: 'full' },
  };
  return {
    version: 1,
    name: 'bench',
    model,
    adapter: adapters[method],
    dataset: { train: bench.assets.data(job.sizes.vocab_size, shape.tokens), max_length: shape.tokens },
    method: methods[method],
    quantization: method === 'qlora' ? { type: 'nf4', double_quant: true } : null,
    training: {
      dtype,
      max_steps: job.warmUp + job.timed,
      batch_size: shape.rows,
      learning_rate: LEARNING_RATE,
      lr_scheduler_type: 'constant',
      weight_decay: WEIGHT_DECAY,
      max_grad_norm: MAX_GRAD_NORM,
      shuffle: false,
      gradient_checkpointing: job.checkpointing,
    },
  };
}
