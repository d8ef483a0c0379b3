import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { directoryName } from '../../../src/protocol/runDirectory';
import { parseRunFile } from '../../../src/protocol/run';
import { checkRun } from '../../../src/protocol/runChecks';
import { methodsFor, WIZARD_METHODS, type WizardMethod } from '../../../src/workbench/runFile/methods';
import {
  buildRunFile,
  portablePath,
  proposedName,
  runFileText,
  validationSibling,
  type WizardAnswers,
} from '../../../src/workbench/runFile/builder';

const answers: WizardAnswers = {
  name: 'tea',
  model: '/data/models/chatglm3-6b',
  dataset: '/data/project/tea.jsonl',
  validation: null,
  method: 'lora',
  rows: 1000,
  parameters: 6.2e9,
  practice: false,
};

describe('run file of the wizard', () => {
  it('is valid for every method, model and size', () => {
    for (const method of WIZARD_METHODS) {
      for (const practice of [false, true]) {
        for (const rows of [0, 1, 39, 40, 100_000]) {
          const text = runFileText(buildRunFile({ ...answers, method, practice, rows }, '/data/project'));
          const parsed = parseRunFile(JSON.parse(text));
          assert.ok('run' in parsed, `${method} ${rows}: ${JSON.stringify(parsed)}`);
          assert.deepEqual(checkRun(parsed.run), []);
          assert.ok(parsed.run.checkpoints.every_steps > 0);
        }
      }
    }
  });

  it('holds rows back for validation only where there are enough and no file has them', () => {
    const split = (changes: Partial<WizardAnswers>): number | undefined =>
      buildRunFile({ ...answers, ...changes }, '/data/project').dataset.validation_split;
    assert.equal(split({}), 0.05);
    assert.equal(split({ rows: 10 }), 0);
    assert.equal(split({ validation: '/data/project/tea.val.jsonl' }), undefined);
    assert.equal(buildRunFile({ ...answers, rows: 10 }, '/data/project').evaluation.every_steps, 0);
  });

  it('trains at the rate usual for the method', () => {
    const rate = (method: WizardMethod): number | null | undefined =>
      buildRunFile({ ...answers, method }, '/data/project').training.learning_rate;
    assert.equal(rate('lora'), 1e-4);
    assert.equal(rate('qlora'), 2e-4);
    assert.equal(rate('ptuning_v2'), 2e-2);
    assert.equal(rate('full'), 2e-5);
  });

  it('writes QLoRA as LoRA over 4-bit weights', () => {
    const { method, quantization } = buildRunFile({ ...answers, method: 'qlora' }, '/data/project');
    assert.equal(method.type, 'lora');
    assert.deepEqual(quantization, { type: 'nf4' });
    assert.equal(buildRunFile(answers, '/data/project').quantization, undefined);
  });

  it('saves memory where the model is large', () => {
    const { dtype, gradient_checkpointing } = buildRunFile(answers, '/data/project').training;
    assert.deepEqual([dtype, gradient_checkpointing], ['bfloat16', true]);
    const small = buildRunFile({ ...answers, parameters: 1e8 }, '/data/project').training;
    assert.deepEqual([small.dtype, small.gradient_checkpointing], ['float32', undefined]);
  });

  it('takes 16 rows a step', () => {
    for (const method of WIZARD_METHODS)
      for (const practice of [true, false]) {
        const { training } = buildRunFile({ ...answers, method, practice }, '/data/project');
        assert.equal((training.batch_size ?? 0) * (training.gradient_accumulation_steps ?? 0), 16);
      }
  });

  it('offers what a checkpoint can be trained with', () => {
    assert.deepEqual(methodsFor({ quantizationBit: 0 }), [...WIZARD_METHODS]);
    assert.deepEqual(methodsFor({ quantizationBit: 4 }), ['lora', 'ptuning_v2']);
  });

  it('writes near paths relative and far ones absolute', () => {
    assert.equal(portablePath('/data/project', '/data/project/tea.jsonl'), 'tea.jsonl');
    assert.equal(portablePath('/data/project', '/data/models/m'), '../models/m');
    assert.equal(portablePath('/a/b/c/d', '/x/y'), '/x/y');
  });

  it('keeps short lists on one line', () => {
    const run = buildRunFile(answers, '/data/project');
    const text = runFileText({ ...run, method: { ...run.method, target_modules: ['query', 'dense'] } });
    assert.match(text, /"target_modules": \["query", "dense"\]/);
  });
});

describe('names', () => {
  it('proposes the dataset’s name without the word for training', () => {
    assert.equal(proposedName('/d/tea-shop.train.jsonl'), 'tea-shop');
    assert.equal(proposedName('/d/tea_sft.jsonl'), 'tea');
    assert.equal(proposedName('/d/train.jsonl'), 'train');
  });

  it('finds the validation file of a dataset, and no other’s', () => {
    const siblings = [
      'tea.train.jsonl',
      'tea.validation.jsonl',
      'tea-val.jsonl',
      'cake.val.jsonl',
      'dev.jsonl',
    ];
    assert.equal(validationSibling('/d/tea.train.jsonl', siblings), 'tea.validation.jsonl');
    assert.equal(validationSibling('/d/tea.train.jsonl', ['tea_dev.jsonl']), 'tea_dev.jsonl');
    assert.equal(validationSibling('/d/tea.train.jsonl', ['cake.val.jsonl', 'dev.jsonl']), null);
    assert.equal(validationSibling('/d/train.jsonl', ['train.jsonl', 'dev.jsonl']), 'dev.jsonl');
    assert.equal(validationSibling('/d/tea.jsonl', ['tea.jsonl', 'interval-tea.jsonl']), null);
  });

  it('makes directory names that every platform takes', () => {
    assert.equal(directoryName('a/b:c'), 'a-b-c');
    assert.equal(directoryName('..'), 'run');
    assert.equal(directoryName('茶馆'), '茶馆');
  });
});
