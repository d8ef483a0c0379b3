import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRunFile, type RunFile } from '../../../src/protocol/run';
import { checkRun } from '../../../src/protocol/runChecks';
import {
  adoptAdapter,
  checkStartingAdapter,
  summariseAdapter,
  type AdapterSummary,
} from '../../../src/protocol/startingAdapter';

const lora = { type: 'lora' };
const full = { type: 'full' };
const prefix = { type: 'ptuning_v2' };
const nf4 = { type: 'nf4' };

function parse(change: object): RunFile {
  const parsed = parseRunFile({ name: 'a', model: 'm', dataset: { train: 't' }, method: lora, ...change });
  assert.ok('run' in parsed, JSON.stringify(parsed));
  return parsed.run;
}

/** `severity key code` of everything that does not fit. */
function checks(change: object): string[] {
  return checkRun(parse(change)).map(({ severity, key, code }) => `${severity} ${key} ${code}`);
}

describe('combinations of run-file keys', () => {
  it('are fine where every method stands by itself', () => {
    for (const method of [lora, full, prefix])
      for (const dtype of ['float32', 'bfloat16', 'float16'])
        assert.deepEqual(checks({ method, training: { dtype } }), []);
    for (const method of [lora, prefix, { ...lora, use_dora: true }])
      assert.deepEqual(checks({ method, quantization: nf4, adapter: 'before' }), []);
    assert.deepEqual(checks({ method: { ...lora, use_dora: true, init_lora_weights: 'pissa' } }), []);
  });

  it('are refused together, not one by one', () => {
    assert.deepEqual(checks({ method: full, quantization: nf4, adapter: 'before' }), [
      'error quantization quantizedFull',
      'error adapter adapterWithFull',
    ]);
    const pissa = { ...lora, init_lora_weights: 'pissa' };
    assert.deepEqual(checks({ method: pissa, quantization: nf4, adapter: 'before' }), [
      'error method.init_lora_weights quantizedPissa',
      'error method.init_lora_weights adapterWithPissa',
    ]);
  });

  it('want something to evaluate where the best weights are asked for', () => {
    const every = { load_best_at_end: true, every_steps: 5 };
    assert.deepEqual(checks({ evaluation: { load_best_at_end: true } }), [
      'error evaluation.load_best_at_end needsEvaluation',
    ]);
    assert.deepEqual(checks({ evaluation: every }), ['error evaluation.load_best_at_end needsValidation']);
    assert.deepEqual(checks({ evaluation: every, dataset: { train: 't', validation_split: 0.1 } }), []);
    // Files with this have always run.
    assert.deepEqual(checks({ evaluation: { early_stopping_patience: 2 } }), [
      'warning evaluation.early_stopping_patience needsEvaluation',
    ]);
  });

  it('do not end a schedule above its start', () => {
    const polynomial = { lr_scheduler_type: 'polynomial', learning_rate: 1e-4 };
    assert.deepEqual(checks({ training: { ...polynomial, lr_end: 1e-4 } }), [
      'error training.lr_end endAboveStart',
    ]);
    assert.deepEqual(checks({ training: { ...polynomial, lr_end: 1e-5 } }), []);
    assert.deepEqual(checks({ training: { warmup_steps: 10, max_steps: 10 } }), [
      'warning training.warmup_steps warmupNeverEnds',
    ]);
  });

  it('name keys that do nothing', () => {
    assert.deepEqual(checks({ training: { lr_num_cycles: 2, lr_power: 2, lr_end: 1e-6 } }), [
      'warning training.lr_num_cycles unusedUnless',
      'warning training.lr_power unusedUnless',
      'warning training.lr_end unusedUnless',
    ]);
    assert.deepEqual(checks({ training: { warmup_steps: 1, warmup_ratio: 0.1 } }), [
      'warning training.warmup_ratio unusedBeside',
    ]);
    assert.deepEqual(checks({ dataset: { train: 't', validation: 'v', validation_split: 0.1 } }), [
      'warning dataset.validation_split unusedBeside',
    ]);
    assert.deepEqual(checks({ method: { ...prefix, encoder_hidden_size: 8 } }), [
      'warning method.encoder_hidden_size unusedUnless',
    ]);
  });
});

describe('the adapter that a run starts from', () => {
  const summary = (config: object): AdapterSummary => {
    const found = summariseAdapter(config);
    assert.ok(found);
    return found;
  };
  const peft = summary({
    peft_type: 'LORA',
    r: 16,
    lora_alpha: 32,
    lora_dropout: 0.1,
    target_modules: ['dense', 'query_key_value'],
    use_rslora: true,
  });
  const compare = (method: object, adapter: AdapterSummary): string[] => {
    const written = { method };
    return checkStartingAdapter(parse(written), written, adapter).map(
      ({ severity, key, code, args }) => `${severity} ${key} ${code} ${JSON.stringify(args)}`,
    );
  };

  it('is told from what describes it', () => {
    assert.equal(peft.kind, 'lora');
    const thudm = summary({ model_type: 'chatglm', pre_seq_len: 128, prefix_projection: false });
    assert.deepEqual(thudm, {
      kind: 'ptuning_v2',
      settings: { variant: 'thudm', pre_seq_len: 128, prefix_projection: false },
    });
    const prefixTuning = summary({ peft_type: 'PREFIX_TUNING', num_virtual_tokens: 8 });
    assert.deepEqual(prefixTuning.settings, { variant: 'peft', pre_seq_len: 8 });
    for (const other of [null, 3, [], {}, { peft_type: 'IA3' }, { pre_seq_len: null }])
      assert.equal(summariseAdapter(other), null);
  });

  it('must be of the run’s method', () => {
    assert.deepEqual(compare(prefix, peft), [
      'error adapter adapterKind {"kind":"lora","method":"ptuning_v2"}',
    ]);
  });

  it('contradicts only what the file says itself', () => {
    assert.deepEqual(compare(lora, peft), []);
    assert.deepEqual(compare({ ...lora, r: 16, target_modules: ['query_key_value', 'dense'] }, peft), []);
    assert.deepEqual(compare({ ...lora, r: 8, lora_dropout: 0.1, target_modules: ['dense'] }, peft), [
      'warning method.r adapterSetting {"value":"16"}',
      'warning method.target_modules adapterSetting {"value":"[\\"dense\\",\\"query_key_value\\"]"}',
    ]);
  });

  it('gives the run its own sizes, and nothing else', () => {
    const { method } = adoptAdapter(parse({ method: { ...lora, r: 8, loraplus_lr_ratio: 4 } }), peft);
    assert.deepEqual(method, {
      ...parse({}).method,
      loraplus_lr_ratio: 4,
      r: 16,
      lora_alpha: 32,
      lora_dropout: 0.1,
      target_modules: ['dense', 'query_key_value'],
      use_rslora: true,
    });
    const other = parse({ method: prefix });
    assert.equal(adoptAdapter(other, peft), other);
  });
});
