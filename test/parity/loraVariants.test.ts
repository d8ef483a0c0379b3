/** rsLoRA, DoRA, LoRA+ and PiSSA from a run file: they start from the base model, learn, and are saved as what they are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { train } from '../../src/engine/train/trainer';
import type { EvalEvent, RunEvent, StepEvent } from '../../src/protocol/events';
import { openTestEngine } from './engine';
import { readMicroBatches, rowsOf } from './microBatches';
import { assertClose, runFile, temporary } from './trajectory';

const STEPS = 6;

before(openTestEngine);

/** Mean loss of the rows of the first micro-batches, through the scorer. */
async function datasetLoss(
  model: string,
  adapter: string | null,
  architecture: string,
  most = Infinity,
): Promise<number> {
  const loaded = await LanguageModel.load({ model, adapter, dtype: 'float32' });
  let sum = 0;
  let count = 0;
  const batches = readMicroBatches(`data/${architecture}/batches.json`).slice(0, most);
  for (const { inputIds, labels } of batches.flatMap((batch) => rowsOf(batch))) {
    const score = await loaded.score([...inputIds], [...labels], 0);
    sum += score.loss * score.tokens_counted;
    count += score.tokens_counted;
  }
  await loaded.dispose();
  return sum / count;
}

const variants: [string, string, object][] = [
  ['plain LoRA', 'chatglm3', {}],
  ['rsLoRA on all layers', 'glm-hf', { use_rslora: true, target_modules: 'all-linear' }],
  ['DoRA', 'chatglm2', { use_dora: true }],
  ['DoRA with dropout', 'glm4-0414', { use_dora: true, lora_dropout: 0.2 }],
  ['LoRA+', 'chatglm-v1', { loraplus_lr_ratio: 8 }],
  ['PiSSA', 'chatglm3', { init_lora_weights: 'pissa' }],
  ['PiSSA on all layers', 'glm4-9b', { init_lora_weights: 'pissa', target_modules: 'all-linear' }],
];

for (const [name, architecture, method] of variants)
  test(`${name} (${architecture})`, async () => {
    const directory = temporary();
    const run = runFile(architecture, directory, 5e-3, {
      method: { type: 'lora', r: 4, lora_alpha: 8, ...method },
      evaluation: { every_steps: STEPS },
      training: { max_steps: STEPS, warmup_steps: 0, accumulation_mean: 'tokens' },
    });
    run.dataset.validation = run.dataset.train;
    const events: RunEvent[] = [];
    await train({
      run,
      runDirectory: directory,
      resumeFrom: null,
      versions: {},
      emit: (event) => events.push(event),
      stopRequested: () => 'no',
    });
    const evaluation = events.findLast((event): event is EvalEvent => event.type === 'eval')!;
    const steps = events.filter((event): event is StepEvent => event.type === 'step');
    const base = await datasetLoss(run.model, null, architecture);
    assert.ok(evaluation.loss < base - 0.01, `${base} -> ${evaluation.loss}`);
    // The first step is computed before anything has been learned (dropout adds noise to nothing: B is 0, DoRA's factor 1).
    const drops = 'lora_dropout' in method;
    if (!drops)
      assertClose([steps[0].loss], [await datasetLoss(run.model, null, architecture, 2)], 2e-5, 'first loss');
    const adapter = path.join(directory, 'adapter');
    assertClose(
      [await datasetLoss(run.model, adapter, architecture)],
      [evaluation.loss],
      2e-5,
      'loss as saved',
    );
    const config = JSON.parse(readFileSync(path.join(adapter, 'adapter_config.json'), 'utf8')) as {
      r: number;
      use_dora: boolean;
    };
    assert.equal(config.r, name.startsWith('PiSSA') ? 8 : 4);
    assert.equal(config.use_dora, name.startsWith('DoRA'));
  });
