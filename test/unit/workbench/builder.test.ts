import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { directoryName } from '../../../src/protocol/runDirectory';
import { parseRunFile } from '../../../src/protocol/run';
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
  practice: false,
};

describe('run file of the wizard', () => {
  it('is valid for every method, model and size', () => {
    for (const method of ['lora', 'full'] as const) {
      for (const practice of [false, true]) {
        for (const rows of [0, 1, 39, 40, 100_000]) {
          const text = runFileText(buildRunFile({ ...answers, method, practice, rows }, '/data/project'));
          const parsed = parseRunFile(JSON.parse(text));
          assert.ok('run' in parsed, `${method} ${rows}: ${JSON.stringify(parsed)}`);
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
    assert.equal(buildRunFile(answers, '/data/project').training.learning_rate, 1e-4);
    assert.equal(buildRunFile({ ...answers, method: 'full' }, '/data/project').training.learning_rate, 2e-5);
  });

  it('writes near paths relative and far ones absolute', () => {
    assert.equal(portablePath('/data/project', '/data/project/tea.jsonl'), 'tea.jsonl');
    assert.equal(portablePath('/data/project', '/data/models/m'), '../models/m');
    assert.equal(portablePath('/a/b/c/d', '/x/y'), '/x/y');
  });

  it('keeps short lists on one line', () => {
    assert.match(
      runFileText(buildRunFile(answers, '/data/project')),
      /"target_modules": \["query_key_value"\]/,
    );
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
