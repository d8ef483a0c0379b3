/** What a trainer does besides steps: other dtypes and optimisers, little memory, the way back to the best, ruined weights. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { train } from '../../src/engine/train/trainer';
import type { RunEvent, StepEvent, WarningEvent } from '../../src/protocol/events';
import { parseRunFile, type RunFile } from '../../src/protocol/run';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';

before(openTestEngine);

function temporary(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'glmtune-trainer-'));
}

/** A run over 16 rows of ids, so that no tokenizer is needed. */
function runFile(directory: string, settings: object, training: object): RunFile {
  const rows = Array.from({ length: 16 }, (_, row) => {
    const ids = Array.from({ length: 6 + (row % 9) }, (__, t) => (row * 37 + t * 11) % 600);
    return JSON.stringify({ input_ids: ids, labels: ids.map((id, t) => (t < 3 ? -100 : id)) });
  });
  const file = path.join(directory, 'rows.jsonl');
  writeFileSync(file, `${rows.join('\n')}\n`);
  const result = parseRunFile({
    name: 'trainer',
    model: fixture('models/chatglm3'),
    dataset: { train: file, validation_split: 0.25 },
    method: { type: 'lora', r: 4 },
    ...settings,
    training: { max_steps: 6, batch_size: 4, learning_rate: 5e-3, shuffle: false, ...training },
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.run;
}

interface Outcome {
  outcome: 'done' | 'stopped';
  events: RunEvent[];
  steps: StepEvent[];
}

async function runOnce(
  run: RunFile,
  runDirectory: string,
  options: { resumeFrom?: string; stopAfter?: number } = {},
): Promise<Outcome> {
  const events: RunEvent[] = [];
  const outcome = await train({
    run,
    runDirectory,
    resumeFrom: options.resumeFrom ?? null,
    versions: {},
    emit: (event) => events.push(event),
    stopRequested: () =>
      events.some((event) => event.type === 'step' && event.step === options.stopAfter) ? 'checkpoint' : 'no',
  });
  return { outcome, events, steps: events.filter((event) => event.type === 'step') };
}

const essence = ({ step, loss, grad_norm, lr, rows }: StepEvent) => ({ step, loss, grad_norm, lr, rows });

function adapterBytes(directory: string): Buffer {
  return readFileSync(path.join(directory, 'adapter', 'adapter_model.safetensors'));
}

for (const [name, training] of [
  ['lion', { optimizer: 'lion', learning_rate: 5e-4 }],
  ['adafactor', { optimizer: 'adafactor' }],
  [
    'float16 with noise and smoothing',
    { dtype: 'float16', neftune_noise_alpha: 5, label_smoothing_factor: 0.1 },
  ],
] as const)
  test(`${name}: stopped after step 3 and resumed, bit for bit`, async () => {
    const directory = temporary();
    const run = runFile(directory, {}, training);
    const [whole, broken] = [path.join(directory, 'whole'), path.join(directory, 'broken')];
    const uninterrupted = await runOnce(run, whole);
    const first = await runOnce(run, broken, { stopAfter: 3 });
    assert.equal(first.outcome, 'stopped');
    const second = await runOnce(run, broken, { resumeFrom: path.join(broken, 'checkpoints', 'step-3') });
    const joined = [...first.steps, ...second.steps].map(essence);
    assert.deepEqual(joined, uninterrupted.steps.map(essence));
    assert.ok(adapterBytes(whole).equals(adapterBytes(broken)));
    assert.ok(joined.every(({ loss }) => Number.isFinite(loss)));
  });

test('float16 follows float32, and a full checkpoint of it is stored in float16', async () => {
  const losses: number[][] = [];
  for (const dtype of ['float32', 'float16']) {
    const directory = temporary();
    const run = runFile(directory, { method: { type: 'full' } }, { dtype, learning_rate: 1e-3 });
    const { steps } = await runOnce(run, directory);
    losses.push(steps.map(({ loss }) => loss));
    const reader = openSafetensors([path.join(directory, 'model', 'model.safetensors')]);
    const [entry] = reader.tensors.values();
    assert.equal(entry.dtype, dtype === 'float16' ? 'F16' : 'F32');
    reader.close();
  }
  losses[0].forEach((loss, i) => assert.ok(Math.abs(loss - losses[1][i]) < 5e-3, `step ${i + 1}`));
  assert.ok(losses[0][5] < losses[0][0] - 0.1);
});

test('float16: overflowing updates are skipped with a warning, and the scale falls', async () => {
  const directory = temporary();
  // One trained token with a large weight: its gradient times 65536 is beyond float16.
  const run = runFile(
    directory,
    { method: { type: 'full' } },
    { dtype: 'float16', batch_size: 1, max_steps: 8, learning_rate: 1e-4 },
  );
  writeFileSync(run.dataset.train, '{"input_ids":[5,6,7,8],"labels":[-100,-100,-100,8]}\n'.repeat(4));
  const { events, steps } = await runOnce(run, directory);
  const skipped = events.filter(
    (event): event is WarningEvent => event.type === 'warning' && event.code === 'stepSkipped',
  );
  assert.ok(skipped.length > 0 && skipped.length < 8, `${skipped.length} skipped`);
  const scales = skipped.map(({ args }) => args.scale);
  assert.deepEqual(
    scales,
    scales.map((_, i) => 65536 / 2 ** (i + 1)),
  );
  assert.equal(steps.length, 8);
  // Nothing was trained while steps were skipped: the same loss again, at the rate of the first update.
  const before = steps.slice(0, skipped.length + 1);
  assert.equal(new Set(before.map(({ lr }) => lr)).size, 1);
  assert.ok(steps[7].loss < steps[0].loss);
});

test('micro-batches of any size make the same step', async () => {
  const results: Outcome[] = [];
  for (const batch of [4, 2]) {
    const directory = temporary();
    const training = { batch_size: batch, gradient_accumulation_steps: 4 / batch };
    results.push(await runOnce(runFile(directory, {}, training), directory));
  }
  const [whole, halves] = results.map(({ steps }) => steps);
  whole.forEach((step, i) => {
    assert.ok(Math.abs(step.loss - halves[i].loss) < 1e-5);
    assert.deepEqual(step.rows, halves[i].rows);
  });
});

test('the run goes back to its best evaluation', async () => {
  const directory = temporary();
  const evaluation = { every_steps: 1, load_best_at_end: true };
  // A rate that overshoots: the last evaluation is not the best.
  const run = runFile(directory, { evaluation }, { learning_rate: 0.3, max_steps: 8 });
  const { events } = await runOnce(run, directory);
  const evals = events.filter((event) => event.type === 'eval');
  const best = evals.reduce((a, b) => (b.loss < a.loss ? b : a));
  assert.ok(best.step < 8);
  const checkpoint = path.join(directory, 'checkpoints', `step-${best.step}`);
  assert.ok(existsSync(checkpoint));
  const kept = readFileSync(path.join(checkpoint, 'adapter_model.safetensors'));
  assert.ok(adapterBytes(directory).equals(kept));
  const done = events.at(-1);
  assert.ok(done?.type === 'done' && done.best_eval_loss === best.loss && done.reason === 'completed');
  assert.ok(done.peak_memory! > 1e8);
  const [started] = events;
  assert.ok(started.type === 'started' && started.memory!.total > started.memory!.weights);
});

test('ruined weights are not written as a checkpoint', async () => {
  const directory = temporary();
  const run = runFile(
    directory,
    { method: { type: 'full' }, checkpoints: { every_steps: 1 } },
    { learning_rate: 1e38, max_grad_norm: 0, weight_decay: 1e30 },
  );
  await assert.rejects(runOnce(run, directory), { code: 'engine.badWeights', args: { step: 1 } });
  assert.ok(!existsSync(path.join(directory, 'checkpoints')));
});

test('a stop that was asked for while the model loads is heard', async () => {
  const directory = temporary();
  const events: RunEvent[] = [];
  const outcome = await train({
    run: runFile(directory, {}, {}),
    runDirectory: directory,
    resumeFrom: null,
    versions: {},
    emit: (event) => events.push(event),
    stopRequested: () => 'now',
  });
  assert.equal(outcome, 'stopped');
  assert.deepEqual(
    events.map((event) => event.type),
    ['stopped'],
  );
});
