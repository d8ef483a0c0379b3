import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readRunFileText } from '../../../src/workbench/runFile/readRunFile';

const t = (message: string): string => message;

describe('faults of a run file', () => {
  let directory: string;
  let file: string;

  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'glmtune-run-'));
    file = path.join(directory, 'a.glmtune.json');
    mkdirSync(path.join(directory, 'model'));
    writeFileSync(path.join(directory, 'model', 'config.json'), '{}');
    writeFileSync(path.join(directory, 'a.jsonl'), '');
  });

  after(() => rmSync(directory, { recursive: true }));

  const read = (value: object): ReturnType<typeof readRunFileText> =>
    readRunFileText(t, file, JSON.stringify(value));
  const good = { name: 'a', model: 'model', dataset: { train: 'a.jsonl' }, method: { type: 'lora' } };

  it('are none where the file is right', async () => {
    const { run, faults } = await read(good);
    assert.equal(run?.name, 'a');
    assert.deepEqual(faults, []);
  });

  it('are told all at once: of form and of paths', async () => {
    const { run, faults } = await read({
      ...good,
      model: 'nowhere',
      dataset: { train: 'model', validation: 'missing.jsonl' },
      training: { epochs: -1, batchsize: 2 },
    });
    assert.equal(run, null);
    assert.deepEqual(
      faults.map(({ key, bySchema }) => [key, bySchema]),
      [
        ['training.epochs', true],
        ['training.batchsize', true],
        ['model', false],
        ['dataset.train', false],
        ['dataset.validation', false],
      ],
    );
  });

  it('name a model directory without a configuration', async () => {
    const { faults } = await read({ ...good, model: '.' });
    assert.deepEqual(
      faults.map(({ key }) => key),
      ['model'],
    );
  });

  it('are told of what does not fit together, wrong or merely useless', async () => {
    const { run, faults } = await read({
      ...good,
      method: { type: 'full' },
      quantization: { type: 'nf4' },
      training: { lr_power: 2 },
    });
    assert.ok(run);
    assert.deepEqual(
      faults.map(({ key, severity, bySchema }) => [key, severity, bySchema]),
      [
        ['quantization', 'error', false],
        ['training.lr_power', 'warning', false],
      ],
    );
  });

  it('compare the run with the adapter it starts from', async () => {
    mkdirSync(path.join(directory, 'before'));
    const config = { peft_type: 'LORA', r: 16, lora_alpha: 16, target_modules: ['dense'] };
    writeFileSync(path.join(directory, 'before', 'adapter_config.json'), JSON.stringify(config));
    const keys = async (method: object): Promise<string[]> => {
      const { faults } = await read({ ...good, method, adapter: 'before' });
      return faults.map(({ key, severity }) => `${severity} ${key}`);
    };
    assert.deepEqual(await keys({ type: 'lora' }), []);
    assert.deepEqual(await keys({ type: 'lora', r: 4 }), ['warning method.r']);
    assert.deepEqual(await keys({ type: 'ptuning_v2' }), ['error adapter']);
  });

  it('are one where the text is no JSON', async () => {
    const { run, faults } = await readRunFileText(t, file, '{');
    assert.equal(run, null);
    assert.equal(faults.length, 1);
  });
});
