import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readRunFile } from '../../../src/cli/run/readRunFile';
import { isGlmError, type GlmError } from '../../../src/protocol/errors';
import { describeThrown } from '../../../src/text/errors';
import { fixture } from '../fixtures';
import { t, temporaryDirectory, writeProject } from './support';

function refusal(work: () => unknown): GlmError {
  try {
    work();
  } catch (error) {
    if (isGlmError(error)) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

function problemsOf(file: string): string[] {
  const error = refusal(() => readRunFile(t, file));
  assert.equal(error.code, 'run.invalidFile');
  return (error.args as { problems: string }).problems.split('\n');
}

test('defaults are filled in and paths are relative to the run file', () => {
  using directory = temporaryDirectory();
  const { run } = readRunFile(t, writeProject(directory.path));
  assert.equal(run.model, path.join(directory.path, 'model'));
  assert.equal(run.dataset.train, path.join(directory.path, 'train.jsonl'));
  assert.equal(run.dataset.validation, null);
  assert.equal(run.training.batch_size, 4);
  assert.deepEqual(run.method, {
    type: 'lora',
    r: 8,
    lora_alpha: 16,
    lora_dropout: 0,
    target_modules: null,
    use_rslora: false,
    use_dora: false,
    init_lora_weights: 'default',
    loraplus_lr_ratio: 1,
  });
});

test('a byte order mark is no mistake', () => {
  using directory = temporaryDirectory();
  const file = writeProject(directory.path);
  const { run } = readRunFile(t, file);
  writeFileSync(file, `\uFEFF${JSON.stringify({ ...run, adapter: null })}`);
  assert.equal(readRunFile(t, file).run.name, 'first');
});

test('every problem is named at once, with its place and key', () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'bad.glmtune.json');
  writeFileSync(
    file,
    [
      '{',
      '  "model": "model",',
      '  "dataset": { "train": "", "max_length": 0 },',
      '  "method": { "type": "qlora" },',
      '  "training": {',
      '    "batch_sise": 4,',
      '    "dtype": "int8",',
      '    "epochs": "3"',
      '  },',
      '  "learning_rate": 1',
      '}',
    ].join('\n'),
  );
  assert.deepEqual(problemsOf(file).sort(), [
    'bad.glmtune.json:10:3: learning_rate: is not a key of a run file. Did you mean "training.learning_rate"?',
    'bad.glmtune.json:1:1: name: is missing (a text in quotes is expected)',
    'bad.glmtune.json:3:16: dataset.train: must not be empty',
    'bad.glmtune.json:3:29: dataset.max_length: must be greater than 0',
    'bad.glmtune.json:4:15: method.type: QLoRA is the method "lora" with "quantization": { "type": "nf4" } beside "method"',
    'bad.glmtune.json:6:5: training.batch_sise: is not a key of a run file. Did you mean "batch_size"?',
    'bad.glmtune.json:7:5: training.dtype: must be one of "float32", "bfloat16", "float16"',
    'bad.glmtune.json:8:5: training.epochs: must be a number',
  ]);
});

test("layers of another family are named beside the model's own", () => {
  using directory = temporaryDirectory();
  const file = writeProject(directory.path, {
    model: fixture('models/chatglm3'),
    method: { type: 'lora', target_modules: ['q_proj', 'dense', 'v_proj'] },
  });
  const [problem = '', ...others] = problemsOf(file);
  assert.deepEqual(others, []);
  assert.match(
    problem,
    /: method\.target_modules: the model has no linear layer q_proj, v_proj\. It has query_key_value, dense, dense_h_to_4h, dense_4h_to_h$/,
  );
});

test('missing files are problems like any other', () => {
  using directory = temporaryDirectory();
  const file = writeProject(directory.path, {
    model: 'nowhere',
    adapter: 'model',
    dataset: { train: 'model', validation: 'none.jsonl' },
  });
  const problems = problemsOf(file);
  assert.equal(problems.length, 4);
  assert.match(problems[0] ?? '', /^first\.glmtune\.json:3:3: model: there is no directory .*nowhere$/);
  assert.match(problems[1] ?? '', /adapter: .*model has no adapter_config\.json$/);
  assert.match(problems[2] ?? '', /dataset\.train: .*model is a directory, not a file$/);
  assert.match(problems[3] ?? '', /dataset\.validation: there is no file .*none\.jsonl$/);
});

test('a syntax error has line and column', () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'broken.glmtune.json');
  writeFileSync(file, '{\n  "name": "a",\n  "model": "m",\n}\n');
  const error = refusal(() => readRunFile(t, file));
  assert.equal(error.code, 'run.notJson');
  assert.equal((error.args as { line: number }).line, 3);
  const { message, remedy } = describeThrown(t, error);
  assert.match(message, /broken\.glmtune\.json:3:\d+: /);
  assert.match(remedy, /run file/);
});

test('a missing run file and a directory in its place are refused', () => {
  using directory = temporaryDirectory();
  mkdirSync(path.join(directory.path, 'a.glmtune.json'));
  for (const name of ['none.glmtune.json', 'a.glmtune.json'])
    assert.equal(refusal(() => readRunFile(t, path.join(directory.path, name))).code, 'run.fileNotFound');
});

test('JSON that is not an object is refused', () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'list.glmtune.json');
  writeFileSync(file, '[1]');
  assert.deepEqual(problemsOf(file), ['list.glmtune.json:1:1: must be an object in braces']);
});

test('an empty file is named as such', () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'empty.glmtune.json');
  writeFileSync(file, '');
  const { message } = describeThrown(
    t,
    refusal(() => readRunFile(t, file)),
  );
  assert.match(message, /empty\.glmtune\.json:1:1: Not valid JSON: there is nothing here\./);
});

test(
  'a device and a circle of links are no datasets, and no models',
  { skip: process.platform === 'win32' },
  () => {
    using directory = temporaryDirectory();
    symlinkSync('b', path.join(directory.path, 'a'));
    symlinkSync('a', path.join(directory.path, 'b'));
    const file = writeProject(directory.path, {
      model: 'a',
      dataset: { train: '/dev/zero', validation: 'a' },
    });
    const problems = problemsOf(file);
    assert.equal(problems.length, 3);
    assert.match(problems[0] ?? '', /model: there is no directory .*a$/);
    assert.match(problems[1] ?? '', /dataset\.train: \/dev\/zero is not an ordinary file$/);
    assert.match(problems[2] ?? '', /dataset\.validation: there is no file .*a$/);
  },
);

test('numbers that would exhaust the memory are refused', () => {
  using directory = temporaryDirectory();
  const file = writeProject(directory.path, { training: { batch_size: 1e11, epochs: 1e300 } });
  const problems = problemsOf(file);
  assert.match(problems[0] ?? '', /training\.epochs: must be at most 100000$/);
  assert.match(problems[1] ?? '', /training\.batch_size: must be at most 4096$/);
});

test('what does not fit together is told at once, beside what is missing', () => {
  using directory = temporaryDirectory();
  const file = writeProject(directory.path, {
    model: 'nowhere',
    method: { type: 'full' },
    quantization: { type: 'nf4' },
    evaluation: { load_best_at_end: true },
  });
  const problems = problemsOf(file);
  assert.equal(problems.length, 3);
  assert.match(problems[0] ?? '', /^first\.glmtune\.json:\d+:\d+: quantization: cannot be used with/);
  assert.match(problems[1] ?? '', /: evaluation\.load_best_at_end: has no effect without evaluations/);
  assert.match(problems[2] ?? '', /: model: there is no directory/);
});

function writeAdapter(directory: string, name: string, config: object): void {
  mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
  writeFileSync(path.join(directory, name), JSON.stringify(config));
}

test('a run takes over the sizes of the adapter it starts from, and says where they differ', () => {
  using directory = temporaryDirectory();
  writeAdapter(directory.path, 'before/adapter_config.json', {
    peft_type: 'LORA',
    r: 16,
    lora_alpha: 32,
    target_modules: ['dense'],
  });
  const file = writeProject(directory.path, { adapter: 'before', method: { type: 'lora', r: 8 } });
  const { run, warnings } = readRunFile(t, file);
  assert.ok(run.method.type === 'lora');
  assert.deepEqual([run.method.r, run.method.lora_alpha, run.method.target_modules], [16, 32, ['dense']]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^first\.glmtune\.json:\d+:\d+: method\.r: .*has 16, which counts$/);
});

test('an adapter of another method is refused', () => {
  using directory = temporaryDirectory();
  writeAdapter(directory.path, 'before/pytorch_model.bin', {});
  writeAdapter(directory.path, 'before/config.json', { pre_seq_len: 8, prefix_projection: false });
  const file = writeProject(directory.path, { adapter: 'before' });
  assert.match(problemsOf(file)[0] ?? '', /adapter: is an adapter of the method P-Tuning v2, but .* LoRA$/);
  const same = writeProject(directory.path, { adapter: 'before', method: { type: 'ptuning_v2' } });
  const { run } = readRunFile(t, same);
  assert.deepEqual(run.method.type === 'ptuning_v2' && [run.method.variant, run.method.pre_seq_len], [
    'thudm',
    8,
  ]);
});
