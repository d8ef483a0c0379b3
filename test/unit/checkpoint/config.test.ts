import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseConfig, readConfig, readEndIds } from '../../../src/checkpoint/config';
import type { ChatGlm2Config } from '../../../src/checkpoint/types';
import { GlmError } from '../../../src/protocol/errors';
import { fixture, readJsonFixture } from '../fixtures';
import { RELEASED } from './released';
import { temporaryDirectory } from './temporary';

const base = readJsonFixture<Record<string, unknown>>('models/chatglm3/config.json');

function refusal(json: object): GlmError {
  try {
    parseConfig(json as Record<string, unknown>, 'config.json');
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
    rope_scaling: 'base',
    eos_token_id: 7,
    pad_token_id: null,
    quantization_bit: 0,
  });
  assert.equal((readConfig(fixture('models/chatglm3')) as ChatGlm2Config).rope_ratio, 1);
});

test('every id of a list ends a text', (context) => {
  const directory = temporaryDirectory(context);
  const endIds = (changes: object): number[] => {
    fs.writeFileSync(path.join(directory, 'config.json'), JSON.stringify({ ...base, ...changes }));
    return readEndIds(directory);
  };
  assert.deepEqual(endIds({ eos_token_id: [7, 9, 7, -1] }), [7, 9]);
  assert.deepEqual(endIds({ eos_token_id: 2 }), [2]);
  assert.deepEqual(endIds({ eos_token_id: null }), []);
  assert.deepEqual(readEndIds(fixture('models/glm-hf')), [656, 663, 665]);
});

test('without multi-query attention there are as many groups as heads', () => {
  const config = parseConfig({ ...base, multi_query_attention: false, multi_query_group_num: 3 }, 'c');
  assert.ok(config.architecture === 'chatglm2');
  assert.equal(config.multi_query_group_num, 4);
});

test('ChatGLM-6B: the ids that the code of a time held are filled in', () => {
  const ids = (changes: object) => {
    const config = parseConfig(changes as Record<string, unknown>, 'config.json');
    assert.ok(config.architecture === 'chatglm');
    const { bos_token_id, eos_token_id, mask_token_id, gmask_token_id, pad_token_id } = config;
    return [bos_token_id, eos_token_id, mask_token_id, gmask_token_id, pad_token_id];
  };
  const { chatglm, chatglmImageTokens } = RELEASED;
  assert.deepEqual(ids(chatglm), [130004, 130005, 130000, 130001, 3]);
  assert.deepEqual(ids(chatglmImageTokens), [150004, 150005, 150000, 150001, 20003]);
  const bare = { mask_token_id: undefined, gmask_token_id: null, pad_token_id: undefined };
  assert.deepEqual(ids({ ...chatglm, ...bare }), [130004, 130005, 130000, 130001, 3]);
});

test('ChatGLM-6B: defaults of its configuration class', () => {
  const config = parseConfig(
    { model_type: 'chatglm', vocab_size: 130528, position_encoding_2d: false, quantization_bit: 8 },
    'c',
  );
  assert.deepEqual(config, {
    architecture: 'chatglm',
    num_layers: 28,
    vocab_size: 130528,
    hidden_size: 4096,
    inner_hidden_size: 16384,
    num_attention_heads: 32,
    max_sequence_length: 2048,
    layernorm_epsilon: 1e-5,
    position_encoding_2d: false,
    tie_word_embeddings: true,
    bos_token_id: 130004,
    eos_token_id: 130005,
    mask_token_id: 130000,
    gmask_token_id: 130001,
    pad_token_id: 3,
    quantization_bit: 8,
  });
});

test('glm and glm4: defaults, and the spellings of transformers 4 and 5', () => {
  const defaults = parseConfig({ model_type: 'glm4' }, 'c');
  assert.deepEqual(defaults, {
    architecture: 'glm4',
    num_hidden_layers: 40,
    vocab_size: 151552,
    hidden_size: 4096,
    intermediate_size: 13696,
    num_attention_heads: 32,
    num_key_value_heads: 2,
    head_dim: 128,
    max_position_embeddings: 131072,
    rms_norm_eps: 1.5625e-7,
    rope_theta: 10000,
    partial_rotary_factor: 0.5,
    attention_bias: true,
    tie_word_embeddings: false,
    eos_token_id: null,
    pad_token_id: null,
  });
  const rope = { rope_theta: 7, partial_rotary_factor: 0.25 };
  const old = parseConfig({ model_type: 'glm', ...rope }, 'c');
  assert.deepEqual(
    parseConfig({ model_type: 'glm', rope_parameters: { rope_type: 'default', ...rope } }, 'c'),
    old,
  );
  const inner = { rope_parameters: { rope_theta: 7 }, partial_rotary_factor: 0.25, rope_scaling: null };
  assert.deepEqual(parseConfig({ model_type: 'glm', ...inner }, 'c'), old);
  assert.deepEqual(parseConfig({ model_type: 'glm', ...rope, rope_scaling: { type: 'default' } }, 'c'), old);
});

test('a quantised checkpoint and one with a prefix keep their family', () => {
  const config = parseConfig(
    { ...base, quantization_bit: 4, pre_seq_len: 128, prefix_projection: true },
    'c',
  );
  assert.ok(config.architecture === 'chatglm2');
  assert.deepEqual([config.quantization_bit, config.pre_seq_len, config.prefix_projection], [4, 128, true]);
  assert.equal('pre_seq_len' in parseConfig({ ...base, pre_seq_len: 0 }, 'c'), false);
});

test('what rope_ratio scales is told by the name, or by the code beside the file', (context) => {
  const scaling = (changes: object, file = 'm/config.json', code = '') => {
    const config = parseConfig({ ...base, rope_ratio: 50, ...changes }, file, code);
    assert.ok(config.architecture === 'chatglm2');
    return config.rope_scaling;
  };
  const divides = 'seq_idx = torch.arange(0, n) / self.rope_ratio';
  const multiplies = 'base = base * self.rope_ratio';
  assert.equal(scaling({}), 'base');
  assert.equal(scaling({ _name_or_path: 'THUDM/chatglm2-6b-32k' }), 'positions');
  assert.equal(scaling({ _name_or_path: 'THUDM/chatglm2-6b-32k', rope_ratio: 1 }), 'base');
  assert.equal(scaling({}, 'chatglm2-6b-32k/config.json'), 'positions');
  assert.equal(scaling({}, 'm/config.json', divides), 'positions');
  assert.equal(scaling({ _name_or_path: 'THUDM/chatglm2-6b-32k' }, 'm/config.json', multiplies), 'base');
  const directory = temporaryDirectory(context);
  fs.writeFileSync(path.join(directory, 'config.json'), JSON.stringify({ ...base, rope_ratio: 50 }));
  fs.writeFileSync(path.join(directory, 'modeling_chatglm.py'), divides);
  assert.equal((readConfig(directory) as ChatGlm2Config).rope_scaling, 'positions');
});

type Impossible = [key: string, value: unknown, reason: string, changes?: object];
const impossible: Record<string, Impossible[]> = {
  chatglm: [
    ['hidden_size', 4097, 'multipleOfHeads'],
    ['hidden_size', 64, 'rotary'],
    ['num_layers', -28, 'integer'],
    ['vocab_size', undefined, 'missing'],
    ['bos_token_id', 150004, 'token'],
    ['gmask_token_id', 'x', 'token'],
    ['mask_token_id', undefined, 'missing', { vocab_size: 832, bos_token_id: 1, eos_token_id: 2 }],
    ['quantization_bit', 3, 'unsupported'],
    ['quantization_embeddings', true, 'unsupported'],
    ['tie_word_embeddings', 'yes', 'boolean'],
  ],
  chatglm3: [
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
    ['quantization_bit', '4', 'unsupported'],
    ['pre_seq_len', -5, 'integer'],
    ['prefix_projection', 1, 'boolean', { pre_seq_len: 8 }],
  ],
  glm4Hf: [
    ['num_key_value_heads', 3, 'divides'],
    ['head_dim', 0, 'integer'],
    ['head_dim', -128, 'integer'],
    ['partial_rotary_factor', 1.5, 'rotary'],
    ['partial_rotary_factor', 0.001, 'rotary'],
    ['hidden_act', 'gelu', 'unsupported'],
    ['hidden_act', 5, 'string'],
    ['rope_parameters', [], 'object'],
    ['rope_parameters', 'default', 'object'],
    ['intermediate_size', {}, 'integer'],
  ],
};
for (const [model, cases] of Object.entries(impossible)) {
  for (const [key, value, reason, changes] of cases) {
    test(`${model}: ${key} = ${JSON.stringify(value)} is refused`, () => {
      const error = refusal({ ...RELEASED[model as keyof typeof RELEASED], ...changes, [key]: value });
      assert.equal(error.code, 'checkpoint.badConfig');
      const args = error.args as { key: string; reason: string; path: string };
      assert.deepEqual([args.key, args.reason, args.path], [key, reason, 'config.json']);
    });
  }
}

test('a stretched rotary embedding is refused, not ignored', () => {
  const yarn = { type: 'yarn', factor: 4 };
  const keys = [{ rope_scaling: yarn }, { rope_parameters: { rope_type: 'yarn', rope_theta: 10000 } }].map(
    (changes) => (refusal({ ...RELEASED.glm4Hf, ...changes }).args as { key: string }).key,
  );
  assert.deepEqual(keys, ['rope_scaling.type', 'rope_parameters.rope_type']);
});

const foreign: [string, object, string][] = [
  ['GLM-10B', { model_type: 'glm', block_position_encoding: true, num_layers: 48 }, 'glm-2021'],
  ['GLM-4V-9B', { ...base, vision_config: {} }, 'vision'],
  ['a ChatGLM without sizes', { model_type: 'chatglm' }, 'foreign'],
  ['Llama', { ...base, model_type: 'llama' }, 'foreign'],
  ['nothing', { ...base, model_type: undefined }, 'foreign'],
];
for (const [what, json, architecture] of foreign) {
  test(`${what} is named and refused`, () => {
    const error = refusal(json);
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
