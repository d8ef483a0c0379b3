/** A run that was stopped and resumed ends bit for bit where an uninterrupted one does. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { train } from '../../src/engine/train/trainer';
import type { RunEvent, StepEvent } from '../../src/protocol/events';
import { parseRunFile, type RunFile } from '../../src/protocol/run';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';

before(openTestEngine);

/** Rows of random ids, so that no tokenizer is needed. */
function writeRows(file: string, count: number): void {
  const rows = Array.from({ length: count }, (_, row) => {
    const ids = Array.from({ length: 6 + (row % 9) }, (__, t) => (row * 37 + t * 11) % 600);
    return JSON.stringify({ input_ids: ids, labels: ids.map((id, t) => (t < 3 ? -100 : id)) });
  });
  writeFileSync(file, `${rows.join('\n')}\n`);
}

function runFile(directory: string, overrides: object): RunFile {
  const train = path.join(directory, 'rows.jsonl');
  writeRows(train, 22);
  const result = parseRunFile({
    name: 'resume',
    model: fixture('models/chatglm3'),
    dataset: { train, validation_split: 0.2 },
    training: {
      max_steps: 8,
      batch_size: 3,
      gradient_accumulation_steps: 2,
      learning_rate: 5e-3,
      warmup_ratio: 0.25,
    },
    evaluation: { every_steps: 4 },
    checkpoints: { every_steps: 3 },
    ...overrides,
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.run;
}

async function runOnce(run: RunFile, runDirectory: string, resumeFrom: string | null, stopAfter: number) {
  const events: RunEvent[] = [];
  const outcome = await train({
    run,
    runDirectory,
    resumeFrom,
    versions: {},
    emit: (event) => events.push(event),
    stopRequested: () =>
      events.some((e) => e.type === 'step' && e.step === stopAfter) ? 'checkpoint' : 'no',
  });
  return { outcome, events };
}

const steps = (events: RunEvent[]): StepEvent[] => events.filter((event) => event.type === 'step');

for (const [name, overrides] of [
  ['LoRA with dropout', { method: { type: 'lora', lora_dropout: 0.2, r: 4 } }],
  ['full', { method: { type: 'full' } }],
  ['packed LoRA', { method: { type: 'lora' }, packing: true }],
  ['DoRA with dropout', { method: { type: 'lora', use_dora: true, lora_dropout: 0.1 } }],
  ['LoRA+', { method: { type: 'lora', loraplus_lr_ratio: 16 } }],
  ['PiSSA', { method: { type: 'lora', init_lora_weights: 'pissa' } }],
  ['QLoRA', { method: { type: 'lora' }, quantization: { type: 'nf4' } }],
  ['P-Tuning v2 with dropout', { method: { type: 'ptuning_v2', pre_seq_len: 4, prefix_dropout: 0.2 } }],
  [
    "P-Tuning v2 as PEFT's, with projection",
    { method: { type: 'ptuning_v2', pre_seq_len: 4, variant: 'peft', prefix_projection: true } },
  ],
] as const)
  test(`${name}: stopped after step 5 and resumed`, async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'glmtune-resume-'));
    const { packing, ...rest } = { packing: false, ...overrides };
    const run = runFile(directory, rest);
    run.training.packing = packing;
    const whole = path.join(directory, 'whole');
    const broken = path.join(directory, 'broken');
    const uninterrupted = await runOnce(run, whole, null, -1);
    const first = await runOnce(run, broken, null, 5);
    assert.equal(first.outcome, 'stopped');
    const second = await runOnce(run, broken, path.join(broken, 'checkpoints', 'step-5'), -1);
    assert.equal(second.outcome, 'done');
    const joined = [...steps(first.events), ...steps(second.events)];
    const essence = ({ step, loss, grad_norm, lr, rows }: StepEvent) => ({ step, loss, grad_norm, lr, rows });
    assert.deepEqual(joined.map(essence), steps(uninterrupted.events).map(essence));
    const result = run.method.type === 'full' ? 'model' : 'adapter';
    for (const file of readdirSync(path.join(whole, result)))
      assert.ok(
        readFileSync(path.join(whole, result, file)).equals(readFileSync(path.join(broken, result, file))),
        file,
      );
  });

test('resumed from an earlier checkpoint, what came after it makes room', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'glmtune-resume-'));
  const run = runFile(directory, { method: { type: 'lora' }, checkpoints: { every_steps: 2, keep_last: 2 } });
  const runDirectory = path.join(directory, 'run');
  const checkpoints = path.join(runDirectory, 'checkpoints');
  const kept = (): string[] => readdirSync(checkpoints).sort();
  await runOnce(run, runDirectory, null, -1);
  assert.deepEqual(kept(), ['step-4', 'step-6']);
  const { events } = await runOnce(run, runDirectory, path.join(checkpoints, 'step-4'), 5);
  assert.deepEqual(kept(), ['step-4', 'step-5']);
  const last = events.at(-1);
  assert.ok(last?.type === 'stopped' && last.checkpoint === path.join('checkpoints', 'step-5'));
});

test('a checkpoint of another shape is refused by name', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'glmtune-resume-'));
  const small = runFile(directory, { method: { type: 'lora', r: 2 } });
  const runDirectory = path.join(directory, 'run');
  await runOnce(small, runDirectory, null, 2);
  const large = { ...small, method: { ...small.method, r: 4 } } as RunFile;
  const checkpoint = path.join(runDirectory, 'checkpoints', 'step-2');
  await assert.rejects(runOnce(large, runDirectory, checkpoint, -1), { code: 'checkpoint.doesNotFit' });
});
