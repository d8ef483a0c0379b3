import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../../../src/cli/program';
import { fixture, readJsonFixture } from '../fixtures';
import { temporaryDirectory, testContext } from './support';

/** GLM-4-9B's test model as `transformers` would describe it. */
function writeSplitModel(directory: string): void {
  const original = readJsonFixture<Record<string, number>>('models/glm4-9b/config.json');
  const config = {
    ...readJsonFixture<Record<string, unknown>>('models/glm-hf/config.json'),
    hidden_size: original.hidden_size,
    intermediate_size: original.ffn_hidden_size,
    num_hidden_layers: original.num_layers,
    num_attention_heads: original.num_attention_heads,
    num_key_value_heads: original.multi_query_group_num,
    head_dim: original.kv_channels,
    vocab_size: original.padded_vocab_size,
  };
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
}

test('convert-adapter writes the adapter for the other layout, and back', async () => {
  using directory = temporaryDirectory();
  writeSplitModel(directory.path);
  const [there, back] = [path.join(directory.path, 'there'), path.join(directory.path, 'back')];
  const source = fixture('adapters/glm4-9b-train-lora-all');
  const context = testContext();
  assert.equal(
    await runProgram(context, ['convert-adapter', source, there, '--model', directory.path]),
    0,
    context.stderr.text,
  );
  assert.match(
    context.stdout.text,
    /there: 12 layers, rank 4, target_modules q_proj, k_proj, v_proj, o_proj/,
  );
  const original = fixture('models/glm4-9b');
  assert.equal(await runProgram(testContext(), ['convert-adapter', there, back, '--model', original]), 0);
  const json = JSON.parse(readFileSync(path.join(back, 'adapter_config.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  assert.equal(json.r, 4);
  assert.equal(json.base_model_name_or_path, original);
  const again = testContext();
  assert.equal(await runProgram(again, ['convert-adapter', there, back, '--model', original]), 2);
  assert.match(again.stderr.text, /back exists already/);
});

test('what cannot be converted says why', async () => {
  using directory = temporaryDirectory();
  const out = path.join(directory.path, 'out');
  const cases: [string, string, RegExp][] = [
    ['chatglm-v1-train-lora-attn', 'glm-hf', /ChatGLM-6B.*head by head/],
    ['glm-hf-train-prefix', 'glm-hf', /only LoRA and DoRA/],
    ['glm-hf-train-lora-all', 'glm-hf', /layout of the target model already/],
    ['glm-hf-train-lora-all', 'glm4-0414', /glm4 have only one layout/],
  ];
  for (const [adapter, model, expected] of cases) {
    const context = testContext();
    const source = fixture(`adapters/${adapter}`);
    const code = await runProgram(context, [
      'convert-adapter',
      source,
      out,
      '--model',
      fixture(`models/${model}`),
    ]);
    assert.equal(code, 1);
    assert.match(context.stderr.text, expected);
  }
});
