import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/checkpoint/config';
import { countTrainable, type CountedMethod } from '../../../src/checkpoint/trainable';
import type { ModelConfig } from '../../../src/checkpoint/types';

const parse = (json: Record<string, unknown>): ModelConfig => parseConfig(json, 'config.json');

const chatGlm = {
  model_type: 'chatglm',
  hidden_size: 4096,
  num_layers: 28,
  num_attention_heads: 32,
  inner_hidden_size: 16384,
  vocab_size: 130528,
  max_sequence_length: 2048,
  layernorm_epsilon: 1e-5,
};

const chatGlm2 = {
  model_type: 'chatglm',
  hidden_size: 4096,
  num_layers: 28,
  num_attention_heads: 32,
  multi_query_attention: true,
  multi_query_group_num: 2,
  kv_channels: 128,
  ffn_hidden_size: 13696,
  padded_vocab_size: 65024,
  seq_length: 32768,
  add_qkv_bias: true,
  rmsnorm: true,
};

const glm4 = { ...chatGlm2, num_layers: 40, padded_vocab_size: 151552, rope_ratio: 500 };

/** The released values. */
const released: Record<string, ModelConfig> = {
  'ChatGLM-6B': parse(chatGlm),
  'ChatGLM-6B of March 2023': parse({ ...chatGlm, vocab_size: 150528 }),
  'ChatGLM2-6B': parse(chatGlm2),
  'ChatGLM3-6B': parse({ ...chatGlm2, seq_length: 8192 }),
  'GLM-4-9B': parse(glm4),
  'GLM-4-9B-1M': parse({ ...glm4, multi_query_group_num: 4, rope_ratio: 10000 }),
  'GLM-4-9B-hf': parse({ model_type: 'glm' }),
  'GLM-4-9B-0414': parse({ model_type: 'glm4', attention_bias: false }),
};

const lora: CountedMethod = { type: 'lora', r: 8, target_modules: ['query_key_value'] };
const own: CountedMethod = { type: 'lora', r: 8, target_modules: null };
const prefix: CountedMethod = { type: 'ptuning_v2', pre_seq_len: 128, prefix_projection: false };
const projection: CountedMethod = { ...prefix, prefix_projection: true };
const full: CountedMethod = { type: 'full' };

const expected: readonly [string, CountedMethod, number][] = [
  ['ChatGLM-6B', lora, 3_670_016],
  ['ChatGLM2-6B', lora, 1_949_696],
  ['ChatGLM3-6B', lora, 1_949_696],
  ['GLM-4-9B', lora, 2_785_280],
  ['GLM-4-9B', own, 2_785_280],
  // 40 layers of 8 * (4096 + 4096) + 2 * 8 * (4096 + 256)
  ['GLM-4-9B-hf', own, 40 * 8 * (8192 + 2 * 4352)],
  ['ChatGLM-6B', prefix, 29_360_128],
  ['ChatGLM-6B of March 2023', prefix, 29_360_128],
  ['ChatGLM2-6B', prefix, 1_835_008],
  ['ChatGLM3-6B', prefix, 1_835_008],
  ['GLM-4-9B', prefix, 128 * 40 * 2 * 256],
  ['GLM-4-9B-1M', prefix, 128 * 40 * 2 * 512],
  // Table [128, H], H -> H, H -> E with E = 28 * 2 * 4096
  ['ChatGLM-6B', projection, 128 * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 229_376],
  // Table [128, E], E -> H, H -> E with E = 28 * 2 * 256
  ['ChatGLM2-6B', projection, 128 * 14_336 + (14_336 + 1) * 4096 + (4096 + 1) * 14_336],
  ['ChatGLM-6B', full, 6_173_286_400],
  ['ChatGLM-6B of March 2023', full, 6_173_286_400 + 20_000 * 4096],
  ['ChatGLM2-6B', full, 6_243_584_000],
  ['ChatGLM3-6B', full, 6_243_584_000],
  ['GLM-4-9B', full, 9_399_951_360],
  ['GLM-4-9B-hf', full, 9_399_951_360],
];

for (const [name, method, trainable] of expected) {
  test(`${name}: ${JSON.stringify(method)} trains ${trainable.toLocaleString('en-US')}`, () => {
    const count = countTrainable(released[name], method);
    assert.equal(count.trainable, trainable);
    assert.equal(count.total, method.type === 'full' ? count.base : count.base + trainable);
  });
}

test('DoRA adds a number per output row, all-linear every layer of the blocks', () => {
  const plain = countTrainable(released['ChatGLM3-6B'], lora).trainable;
  const dora = countTrainable(released['ChatGLM3-6B'], { ...lora, use_dora: true }).trainable;
  assert.equal(dora - plain, 28 * 4608);
  const all = countTrainable(released['ChatGLM3-6B'], { ...lora, target_modules: 'all-linear' }).trainable;
  assert.equal(all, 28 * 8 * (4096 + 4608 + 4096 + 4096 + 4096 + 27392 + 13696 + 4096));
});
