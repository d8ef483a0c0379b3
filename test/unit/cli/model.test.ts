import assert from 'node:assert/strict';
import { copyFileSync, cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../../../src/cli/program';
import type { ModelReport } from '../../../src/protocol/modelReport';
import { fixture } from '../fixtures';
import { temporaryDirectory, testContext } from './support';

/** A model directory of the fixtures with a tokenizer's files put beside. */
function withTokenizer(directory: string, model: string, tokenizer: string): void {
  cpSync(fixture(`models/${model}`), directory, { recursive: true });
  for (const name of readdirSync(fixture(`tokenizers/${tokenizer}`))) {
    copyFileSync(fixture(`tokenizers/${tokenizer}/${name}`), path.join(directory, name));
  }
}

async function run(argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const context = testContext({ json: argv.includes('--json') });
  const code = await runProgram(context, argv);
  return { code, out: context.stdout.text, err: context.stderr.text };
}

for (const [model, tokenizer, template] of [
  ['chatglm-v1-fp16', 'chatglm-v1', 'chatglm'],
  ['chatglm2-fp16', 'chatglm2', 'chatglm2'],
  ['chatglm3', 'chatglm3', 'chatglm3'],
  ['glm4-9b-bf16', 'glm4-9b', 'glm4'],
  ['glm-hf', 'glm-hf', 'jinja'],
  ['glm4-0414', 'glm4-0414', 'jinja'],
]) {
  test(`check-model finds nothing wrong with ${model} and its tokenizer`, async () => {
    using directory = temporaryDirectory();
    withTokenizer(directory.path, model, tokenizer);
    const { code, out } = await run(['check-model', directory.path, '--values', '--json']);
    const report = JSON.parse(out) as ModelReport;
    assert.equal(code, 0);
    assert.equal(report.tokenizer?.template, template);
    assert.ok(
      report.findings.every(({ severity }) => severity === 'note'),
      out,
    );
  });
}

test('check-model prints facts, counts and every finding in words', async () => {
  using directory = temporaryDirectory();
  withTokenizer(directory.path, 'chatglm2-fp16', 'chatglm2');
  const { code, out } = await run(['check-model', directory.path]);
  assert.equal(code, 0);
  assert.match(out, /Family +ChatGLM2\n/);
  assert.match(out, /Parameters +120,304\n/);
  assert.match(out, /Weights +F16, PyTorch \.bin, 247\.4 kB in files: 1\n/);
  assert.match(out, /lora, r 8, target_modules query_key_value +2,816 \(2\.34 %\)\n/);
  assert.match(out, /Note: The embedding has 672 rows for 665 tokens/);
  assert.match(out, /The model can be used\.\n$/);
});

test('check-model fails where the tokenizer is that of another family', async () => {
  using directory = temporaryDirectory();
  withTokenizer(directory.path, 'chatglm-v1', 'chatglm2');
  const { code, out } = await run(['check-model', directory.path]);
  assert.equal(code, 1);
  assert.match(
    out,
    /Problem: The prompt format chatglm2 does not belong to this network; it takes chatglm\./,
  );
  assert.match(out, /Warning: The tokenizer has only 665 tokens for 832 rows/);
  assert.match(out, /The model cannot be used as it is\.\n$/);
});

test('check-model lists twenty problems of a kind and counts the rest', async () => {
  using directory = temporaryDirectory();
  withTokenizer(directory.path, 'chatglm3', 'chatglm3');
  const file = path.join(directory.path, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...config, hidden_size: 52 }));
  const { code, out } = await run(['check-model', directory.path]);
  assert.equal(code, 1);
  assert.equal(out.match(/calls for/g)?.length, 20);
  assert.match(out, /\n {2}and \d+ more\n/);
});

test('check-model says why a directory cannot be read', async () => {
  const { code, out } = await run(['check-model', '/nowhere', '--json']);
  assert.equal(code, 1);
  const [finding] = (JSON.parse(out) as { findings: { message: string; remedy: string }[] }).findings;
  assert.match(finding.message, /no model directory at \/nowhere/);
  assert.ok(finding.remedy);
});

const chatGlm3 = {
  model_type: 'chatglm',
  hidden_size: 4096,
  num_layers: 28,
  num_attention_heads: 32,
  multi_query_attention: true,
  multi_query_group_num: 2,
  kv_channels: 128,
  ffn_hidden_size: 13696,
  padded_vocab_size: 65024,
  seq_length: 8192,
  add_qkv_bias: true,
};

for (const [options, trainable] of [
  [['--target-modules', 'query_key_value'], 1_949_696],
  [['--r', '16'], 2 * 1_949_696],
  [['--target-modules', 'query_key_value, dense'], 28 * 8 * (4096 + 4608 + 4096 + 4096)],
  [['--method', 'ptuning_v2'], 1_835_008],
  [['--method', 'ptuning_v2', '--pre-seq-len', '64', '--variant', 'peft'], 1_835_008 / 2],
  [['--method', 'full'], 6_243_584_000],
] as const) {
  test(`count ${options.join(' ')}: ${trainable}`, async () => {
    using directory = temporaryDirectory();
    const file = path.join(directory.path, 'config.json');
    writeFileSync(file, JSON.stringify(chatGlm3));
    for (const source of [file, directory.path]) {
      const { code, out } = await run(['count', source, ...options, '--json']);
      const counted = JSON.parse(out) as Record<string, number>;
      assert.deepEqual([code, counted.trainable, counted.base], [0, trainable, 6_243_584_000]);
    }
  });
}

test('count in words, and what it refuses', async () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'config.json');
  writeFileSync(file, JSON.stringify(chatGlm3));
  const { out } = await run(['count', file]);
  assert.match(out, /Trainable parameters +1,949,696\n/);
  assert.match(out, /Together +6,245,533,696\n/);
  assert.match(out, /Trainable share +0\.0312 %\n/);
  const unknown = await run(['count', file, '--target-modules', 'q_proj']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /no linear layer q_proj\. It has query_key_value, dense/);
  assert.equal((await run(['count', file, '--r', '0'])).code, 2);
  assert.equal((await run(['count', path.join(directory.path, 'none')])).code, 1);
  writeFileSync(file, JSON.stringify({ ...chatGlm3, hidden_size: -4096 }));
  const negative = await run(['count', file]);
  assert.equal(negative.code, 1);
  assert.match(negative.err, /hidden_size is -4096/);
});
