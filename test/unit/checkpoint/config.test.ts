import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseConfig, readConfig } from '../../../src/checkpoint/config';
import { GlmError } from '../../../src/protocol/errors';
import { fixture, readJsonFixture } from '../fixtures';
import { temporaryDirectory } from './temporary';

const base = readJsonFixture<Record<string, unknown>>('models/chatglm3/config.json');

function refusal(changes: object): GlmError {
  try {
    parseConfig({ ...base, ...changes }, 'config.json');
  } catch (error) {
    assert.ok(error instanceof GlmError, String(error));
    return error as GlmError;
  }
  assert.fail('accepted');
}

test('the keys of config.json keep their names, and defaults are filled in', () => {
  const config = parseConfig(
    { ...base, rope_ratio: 50, eos_token_id: [7, 9], pad_token_id: -1 },
    'config.json',
  );
  assert.deepEqual(config, {
    architecture: 'chatglm2',
    num_layers: 3,
    padded_vocab_size: 672,
    hidden_size: 48,
    ffn_hidden_size: 100,
    kv_channels: 16,
    num_attention_heads: 4,
    multi_query_attention: true,
    multi_query_group_num: 2,
    seq_length: 256,
    layernorm_epsilon: 1e-5,
    rmsnorm: true,
    post_layer_norm: true,
    apply_residual_connection_post_layernorm: false,
    add_bias_linear: false,
    add_qkv_bias: true,
    rope_ratio: 50,
    eos_token_id: 7,
    pad_token_id: null,
  });
  assert.equal(readConfig(fixture('models/chatglm3')).rope_ratio, 1);
});

test('without multi-query attention there are as many groups as heads', () => {
  const config = parseConfig({ ...base, multi_query_attention: false, multi_query_group_num: 3 }, 'c');
  assert.equal(config.multi_query_group_num, 4);
});

const impossible: [string, unknown, string][] = [
  ['hidden_size', -1, 'integer'],
  ['hidden_size', '48', 'integer'],
  ['num_layers', 0, 'integer'],
  ['num_layers', 1e9, 'integer'],
  ['num_layers', 2.5, 'integer'],
  ['padded_vocab_size', undefined, 'missing'],
  ['padded_vocab_size', null, 'missing'],
  ['seq_length', 2 ** 60, 'integer'],
  ['multi_query_group_num', 3, 'divides'],
  ['kv_channels', 18, 'multipleOf4'],
  ['layernorm_epsilon', Number.NaN, 'number'],
  ['layernorm_epsilon', 0, 'number'],
  ['rope_ratio', 'big', 'number'],
  ['rope_ratio', Number.POSITIVE_INFINITY, 'number'],
  ['rmsnorm', 1, 'boolean'],
  ['eos_token_id', 'x', 'token'],
];
for (const [key, value, reason] of impossible) {
  test(`${key} = ${String(value)} is refused`, () => {
    const error = refusal({ [key]: value });
    assert.equal(error.code, 'checkpoint.badConfig');
    const args = error.args as { key: string; reason: string; path: string };
    assert.deepEqual([args.key, args.reason, args.path], [key, reason, 'config.json']);
  });
}

const foreign: [string, object, string][] = [
  ['ChatGLM-6B', { inner_hidden_size: 16384 }, 'chatglm'],
  ['ChatGLM-6B, one stream', { position_encoding_2d: false }, 'chatglm'],
  ['a quantised model', { quantization_bit: 4 }, 'chatglm-quantised'],
  ['a prefix model', { pre_seq_len: 128 }, 'chatglm-prefix'],
  ['ChatGLM2-6B-32k', { rope_ratio: 16, _name_or_path: 'THUDM/chatglm2-6b-32k' }, 'chatglm2-interpolated'],
  ['GLM-4-9B-hf', { model_type: 'glm' }, 'glm'],
  ['GLM-4-0414', { model_type: 'glm4' }, 'glm4'],
  ['Llama', { model_type: 'llama' }, 'foreign'],
  ['nothing', { model_type: undefined }, 'foreign'],
];
for (const [what, changes, architecture] of foreign) {
  test(`${what} is named and refused`, () => {
    const error = refusal(changes);
    assert.equal(error.code, 'checkpoint.unsupportedArchitecture');
    assert.equal((error.args as { architecture: string }).architecture, architecture);
  });
}

test('a file that is not JSON, such as one with NaN, is refused with its path', (context) => {
  const directory = temporaryDirectory(context);
  for (const text of ['{"hidden_size": NaN}', '', '[1]', 'null', '{"a":']) {
    fs.writeFileSync(path.join(directory, 'config.json'), text);
    assert.throws(
      () => readConfig(directory),
      (error) =>
        error instanceof GlmError && error.code === 'checkpoint.badJson' && error.message.includes(directory),
    );
  }
});
