/**
 * Training trajectories of the reference (torch AdamW, PEFT LoRA), reproduced from a run file alone: 20 steps of two
 * micro-batches of two rows, warm-up and cosine, clipping. Tolerances: fixtures' README, section 5.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { writeAdapter } from '../../src/checkpoint/adapter';
import { loraShapes } from '../../src/checkpoint/lora';
import { readConfig } from '../../src/checkpoint/config';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { train } from '../../src/engine/train/trainer';
import type { RunEvent, StepEvent } from '../../src/protocol/events';
import { parseRunFile, type RunFile } from '../../src/protocol/run';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { logSoftmax, maxDifference, readGolden, readGoldenJson } from './golden';

const LOSS = 2e-5;
const NORM = 1e-4;
const RATE = 1e-10;
const WEIGHTS = 2e-5;
const LOGITS = 5e-5;

interface Trajectory {
  r?: number;
  lora_alpha?: number;
  target_modules?: string[];
  peak_lr: number;
  lr: number[];
  loss: number[];
  grad_norm: number[];
  logits_after: string;
  final: Record<string, { shape: number[]; first: number[]; last: number[]; f32_vs_f64_max_abs: number }>;
}

interface Batches {
  micro_batches: { input_ids: number[][]; labels: number[][]; attention_mask?: number[][] }[];
}

before(openTestEngine);

function temporary(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'glmtune-parity-'));
}

/** The rows of the reference's micro-batches, in order, as a pre-tokenised dataset. */
function writeDataset(directory: string, architecture: string): string {
  const { micro_batches } = readGoldenJson<Batches>(`data/${architecture}/batches.json`);
  const lines = micro_batches.flatMap(({ input_ids, labels, attention_mask }) =>
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
function writeInitialAdapter(
  directory: string,
  architecture: string,
  name: string,
  golden: Trajectory,
): string {
  const model = fixture(`models/${architecture}`);
  const config = {
    r: golden.r!,
    lora_alpha: golden.lora_alpha!,
    lora_dropout: 0,
    target_modules: golden.target_modules!,
    use_rslora: false,
    base_model_name_or_path: model,
  };
  const reader = openSafetensors([fixture(`golden/${architecture}/${name}.safetensors`)]);
  const read = (module: string, matrix: string) =>
    reader.readFloat32(`init.base_model.model.${module}.lora_${matrix}.default.weight`);
  const layers = loraShapes(readConfig(model), config.r, config.target_modules).map(({ module, a, b }) => ({
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

async function runTraining(run: RunFile, runDirectory: string): Promise<StepEvent[]> {
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

function assertClose(
  found: readonly number[],
  wanted: readonly number[],
  tolerance: number,
  what: string,
): void {
  const difference = maxDifference(found, wanted);
  assert.ok(difference <= tolerance, `${what}: ${difference}`);
}

/** Compares the last position of the golden batch `single` after training. */
async function compareLogits(
  architecture: string,
  golden: Trajectory,
  adapter: string | null,
  model: string,
) {
  const { batches } = readGoldenJson<{ batches: { name: string; input_ids: number[][] }[] }>(
    `golden/${architecture}/forward.json`,
  );
  const { input_ids } = batches.find(({ name }) => name === 'single')!;
  const loaded = await LanguageModel.load({ model, adapter, dtype: 'float32' });
  const score = await loaded.score(input_ids[0], null, loaded.vocabSize);
  const found = new Float64Array(loaded.vocabSize);
  for (const [id, value] of score.top_logprobs!.at(-1)!) found[id] = value;
  const wanted = logSoftmax(readGolden(`golden/${architecture}`, golden.logits_after));
  assertClose([...found], [...wanted], LOGITS, 'logits after training');
  await loaded.dispose();
}

function compareSteps(steps: StepEvent[], golden: Trajectory): void {
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

function runFile(architecture: string, directory: string, peakRate: number, extra: object): RunFile {
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

for (const architecture of ['chatglm2', 'chatglm3'])
  for (const name of ['train-lora-attn', 'train-lora-all'])
    test(`${architecture} ${name}`, async () => {
      const directory = temporary();
      const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
      const adapter = writeInitialAdapter(directory, architecture, name, golden);
      const run = runFile(architecture, directory, golden.peak_lr, { adapter, method: { type: 'lora' } });
      compareSteps(await runTraining(run, directory), golden);
      const tuned = path.join(directory, 'adapter');
      const reader = openSafetensors([path.join(tuned, 'adapter_model.safetensors')]);
      for (const [key, { first, last, f32_vs_f64_max_abs: spread }] of Object.entries(golden.final)) {
        const values = reader.readFloat32(key.replace('.default', ''));
        const found = [...values.subarray(0, 6), ...values.subarray(-2)];
        assertClose(found, [...first, ...last], 4 * spread + WEIGHTS, key);
      }
      reader.close();
      await compareLogits(architecture, golden, tuned, run.model);
      // PEFT wrote the same adapter after the same run.
      const theirs = openSafetensors([fixture(`adapters/${architecture}-${name}/adapter_model.safetensors`)]);
      const ours = openSafetensors([path.join(tuned, 'adapter_model.safetensors')]);
      assert.deepEqual([...ours.tensors.keys()].sort(), [...theirs.tensors.keys()].sort());
      for (const key of theirs.tensors.keys())
        assertClose([...ours.readFloat32(key)], [...theirs.readFloat32(key)], 5e-5, key);
      const config = JSON.parse(readFileSync(path.join(tuned, 'adapter_config.json'), 'utf8')) as {
        peft_type: string;
      };
      assert.equal(config.peft_type, 'LORA');
    });

test('recomputing the blocks gives the same trajectory', async () => {
  const directory = temporary();
  const golden = readGoldenJson<Trajectory>('golden/chatglm3/train-lora-all.json');
  const adapter = writeInitialAdapter(directory, 'chatglm3', 'train-lora-all', golden);
  const training = { gradient_checkpointing: true };
  const run = runFile('chatglm3', directory, golden.peak_lr, { adapter, method: { type: 'lora' }, training });
  compareSteps(await runTraining(run, directory), golden);
});

const fullRuns: [string, string, object][] = [
  ['chatglm2', 'train-full', {}],
  ['chatglm2', 'train-full-token-mean', { training: { accumulation_mean: 'tokens' } }],
  ['chatglm2', 'train-full-nodecay', { training: { weight_decay_on: 'matrices' } }],
  ['chatglm3', 'train-full', {}],
];

for (const [architecture, name, extra] of fullRuns)
  test(`${architecture} ${name}`, async () => {
    const directory = temporary();
    const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
    const run = runFile(architecture, directory, golden.peak_lr, { method: { type: 'full' }, ...extra });
    compareSteps(await runTraining(run, directory), golden);
    await compareLogits(architecture, golden, null, path.join(directory, 'model'));
  });
