/** Training trajectories of the reference, reproduced from a run file alone, and what they are compared with. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeAdapter, writePrefix } from '../../src/checkpoint/adapter';
import { readConfig } from '../../src/checkpoint/config';
import { loraShapes } from '../../src/checkpoint/lora';
import { defaultPrefixVariant, prefixShapes } from '../../src/checkpoint/prefix';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import type { LoraConfig, PrefixConfig, TensorReader } from '../../src/checkpoint/types';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { train } from '../../src/engine/train/trainer';
import type { RunEvent, StepEvent } from '../../src/protocol/events';
import { parseRunFile, type RunFile } from '../../src/protocol/run';
import { fixture } from '../unit/fixtures';
import { compareCase, forwardCases } from './forwardCases';
import { logSoftmax, maxDifference, readGolden } from './golden';
import { readMicroBatches } from './microBatches';

const LOSS = 2e-5;
const NORM = 1e-4;
const RATE = 1e-10;
export const WEIGHTS = 2e-5;
const LOGITS = 5e-5;

export interface Trajectory {
  r?: number;
  lora_alpha?: number;
  target_modules?: string[];
  pre_seq_len?: number;
  num_virtual_tokens?: number;
  prefix_projection?: boolean;
  encoder_hidden_size?: number | null;
  greedy_after?: { prompt: number[]; tokens: number[] };
  /** By the name of a batch of `forward.json`: logits with the initial prefix, and under `<name>_at` their rows and columns. */
  logits_before?: Record<string, string | [number, number][]>;
  peak_lr: number;
  lr: number[];
  loss: number[];
  grad_norm: number[];
  logits_after: string;
  final_tensors?: string;
  final: Record<string, { shape: number[]; first: number[]; last: number[]; f32_vs_f64_max_abs: number }>;
}

export function temporary(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'glmtune-parity-'));
}

/** The rows of the reference's micro-batches, in order, as a pre-tokenised dataset. */
function writeDataset(directory: string, architecture: string): string {
  const batches = readMicroBatches(`data/${architecture}/batches.json`);
  const lines = batches.flatMap(({ input_ids, labels, attention_mask }) =>
    input_ids.map((ids, i) =>
      JSON.stringify({
        input_ids: ids,
        labels: labels[i],
        ...(attention_mask ? { attention_mask: attention_mask[i] } : {}),
      }),
    ),
  );
  const file = path.join(directory, 'rows.jsonl');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** The reference's initial adapter as a PEFT directory. */
export function writeInitialAdapter(
  directory: string,
  architecture: string,
  name: string,
  golden: Trajectory,
): string {
  const model = fixture(`models/${architecture}`);
  const config: LoraConfig = {
    r: golden.r!,
    lora_alpha: golden.lora_alpha!,
    lora_dropout: 0,
    target_modules: golden.target_modules!,
    use_rslora: false,
    use_dora: false,
    base_model_name_or_path: model,
  };
  const reader = openSafetensors([fixture(`golden/${architecture}/${name}.safetensors`)]);
  const read = (module: string, matrix: string) =>
    reader.readFloat32(`init.base_model.model.${module}.lora_${matrix}.default.weight`);
  const layers = loraShapes(readConfig(model), config).map(({ module, a, b }) => ({
    module,
    a,
    b,
    aData: read(module, 'A'),
    bData: read(module, 'B'),
  }));
  const adapter = path.join(directory, 'initial');
  writeAdapter(adapter, config, layers);
  reader.close();
  return adapter;
}

/** The reference's initial prefix encoder as an adapter directory. */
export function writeInitialPrefix(
  directory: string,
  architecture: string,
  name: string,
  golden: Trajectory,
): string {
  const base = fixture(`models/${architecture}`);
  const model = readConfig(base);
  const config: PrefixConfig = {
    variant: defaultPrefixVariant(model),
    pre_seq_len: (golden.pre_seq_len ?? golden.num_virtual_tokens)!,
    prefix_projection: golden.prefix_projection!,
    encoder_hidden_size: golden.encoder_hidden_size ?? null,
    base_model_name_or_path: base,
  };
  const reader = openSafetensors([fixture(`golden/${architecture}/${name}.safetensors`)]);
  const values = new Map(
    prefixShapes(model, config).tensors.map(({ name: tensor }) => [
      tensor,
      reader.readFloat32(`init.${tensor}`),
    ]),
  );
  reader.close();
  const adapter = path.join(directory, 'initial');
  writePrefix(adapter, { config, model, base, values });
  return adapter;
}

export async function runTraining(run: RunFile, runDirectory: string): Promise<StepEvent[]> {
  const events: RunEvent[] = [];
  const outcome = await train({
    run,
    runDirectory,
    resumeFrom: null,
    versions: {},
    emit: (event) => events.push(event),
    stopRequested: () => 'no',
  });
  assert.equal(outcome, 'done');
  return events.filter((event) => event.type === 'step');
}

export function assertClose(
  found: readonly number[],
  wanted: readonly number[],
  tolerance: number,
  what: string,
): void {
  const difference = maxDifference(found, wanted);
  assert.ok(difference <= tolerance, `${what}: ${difference}`);
}

/** Compares the last position of the golden batch `single` after training. */
export async function compareLogits(
  architecture: string,
  golden: Trajectory,
  adapter: string | null,
  model: string,
  quantization: 'nf4' | null = null,
): Promise<void> {
  const { input_ids } = forwardCases(architecture).find(({ name }) => name === 'single')!;
  const loaded = await LanguageModel.load({ model, adapter, dtype: 'float32', quantization });
  const score = await loaded.score(input_ids[0], null, loaded.vocabSize);
  const found = new Float64Array(loaded.vocabSize);
  for (const [id, value] of score.top_logprobs!.at(-1)!) found[id] = value;
  const wanted = logSoftmax(readGolden(`golden/${architecture}`, golden.logits_after));
  assertClose([...found], [...wanted], LOGITS, 'logits after training');
  await loaded.dispose();
}

/** Compares logits before the first step, as far as the reference recorded them. */
export async function compareBefore(
  architecture: string,
  { logits_before: recorded }: Trajectory,
  adapter: string,
  model: string,
): Promise<void> {
  if (!recorded) return;
  const loaded = await LanguageModel.load({ model, adapter, dtype: 'float32' });
  for (const name of ['single', 'left-padded']) {
    const item = forwardCases(architecture).find((batch) => batch.name === name)!;
    const [logits, at] = [recorded[name] as string, recorded[`${name}_at`] as [number, number][]];
    await compareCase(loaded, `golden/${architecture}`, { ...item, loss: null, logits, logits_at: at });
  }
  await loaded.dispose();
}

/** Compares trained tensors, all their values where the reference recorded them. */
export function compareFinal(
  reader: TensorReader,
  { final, final_tensors: tensors }: Trajectory,
  architecture: string,
  nameOf: (key: string) => string,
): void {
  for (const [key, { first, last, f32_vs_f64_max_abs: spread }] of Object.entries(final)) {
    const values = [...reader.readFloat32(nameOf(key))];
    const ends = [...values.slice(0, 6), ...values.slice(-2)];
    const tolerance = 4 * spread + WEIGHTS;
    assertClose(ends, [...first, ...last], tolerance, key);
    if (!tensors) continue;
    const whole = readGolden(`golden/${architecture}`, tensors.replace('<name>', key));
    assertClose(values, [...whole], tolerance, key);
  }
}

export function compareSteps(steps: StepEvent[], golden: Trajectory): void {
  assertClose(
    steps.map(({ loss }) => loss),
    golden.loss,
    LOSS,
    'loss',
  );
  // The golden rates have nine digits.
  assertClose(
    steps.map(({ lr }) => lr),
    golden.lr,
    Math.max(RATE, golden.peak_lr * 1e-7),
    'lr',
  );
  const relative = steps.map(({ grad_norm }, i) => grad_norm / golden.grad_norm[i]);
  assertClose(
    relative,
    relative.map(() => 1),
    NORM,
    'grad_norm',
  );
}

export function runFile(architecture: string, directory: string, peakRate: number, extra: object): RunFile {
  const result = parseRunFile({
    name: 'parity',
    model: fixture(`models/${architecture}`),
    dataset: { train: writeDataset(directory, architecture) },
    ...extra,
    training: {
      max_steps: 20,
      batch_size: 2,
      gradient_accumulation_steps: 2,
      accumulation_mean: 'micro_batches',
      learning_rate: peakRate,
      lr_scheduler_type: 'cosine',
      warmup_steps: 3,
      weight_decay: 0.01,
      weight_decay_on: 'all',
      max_grad_norm: 1,
      shuffle: false,
      ...(extra as { training?: object }).training,
    },
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.run;
}
