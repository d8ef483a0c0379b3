import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRunFile, type RunFile, type RunFileProblem } from '../../../src/protocol/run';

const base = { name: 'a', model: 'm', dataset: { train: 't.jsonl' } };

function parse(change: object): RunFile {
  const parsed = parseRunFile({ ...base, ...change });
  assert.ok('run' in parsed, JSON.stringify(parsed));
  return parsed.run;
}

function problems(change: object): RunFileProblem[] {
  const parsed = parseRunFile({ ...base, ...change });
  assert.ok('problems' in parsed);
  return parsed.problems;
}

describe('the learning rate of a run file', () => {
  it('is that of the method where the file has none, or null', () => {
    const rate = (type: string, training?: object) =>
      parse({ method: { type }, ...(training && { training }) }).training.learning_rate;
    assert.equal(rate('lora'), 1e-4);
    assert.equal(rate('full'), 1e-4);
    assert.equal(rate('ptuning_v2'), 2e-2);
    assert.equal(rate('ptuning_v2', { learning_rate: null }), 2e-2);
    assert.equal(rate('ptuning_v2', { learning_rate: 1e-4 }), 1e-4);
  });

  it('is settled once: a resolved run reads back as itself', () => {
    const run = parse({ method: { type: 'ptuning_v2' } });
    assert.deepEqual(parseRunFile(JSON.parse(JSON.stringify(run))), { run });
  });
});

describe('the method of a run file', () => {
  it('is recognised through spelling and under its other names', () => {
    const suggestion = (type: unknown) => problems({ method: { type } })[0]?.suggestion;
    for (const type of ['LoRA', 'lorra', 'QLoRA', 'dora']) assert.equal(suggestion(type), 'lora', type);
    for (const type of ['p-tuning', 'P-Tuning v2', 'ptuning_v3', 'prefix-tuning'])
      assert.equal(suggestion(type), 'ptuning_v2', type);
    for (const type of ['FULL', 'sft', 'full_finetuning']) assert.equal(suggestion(type), 'full', type);
    for (const type of ['reinforcement', 3, null, undefined]) assert.equal(suggestion(type), undefined);
  });

  it('does not take another method’s keys, and says whose they are', () => {
    const [found] = problems({ method: { type: 'full', r: 8 } });
    assert.equal(found?.key, 'method.r');
    assert.equal(found?.owner, 'lora');
    assert.equal(problems({ method: { type: 'lora', pre_seq_len: 8 } })[0]?.owner, 'ptuning_v2');
  });

  it('has its own keys suggested, not another method’s', () => {
    assert.equal(problems({ method: { type: 'lora', lora_alfa: 8 } })[0]?.suggestion, 'lora_alpha');
    assert.equal(problems({ method: { type: 'full', lora_alfa: 8 } })[0]?.suggestion, undefined);
    assert.equal(problems({ method: { type: 'lora', batch_size: 8 } })[0]?.suggestion, 'training.batch_size');
  });
});
