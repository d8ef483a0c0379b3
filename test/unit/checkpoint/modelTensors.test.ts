import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/checkpoint/config';
import { countLoraParameters, loraShapes, unknownTargets } from '../../../src/checkpoint/lora';
import { chatGlm2Tensors, countParameters } from '../../../src/checkpoint/modelTensors';

/** The published configuration of ChatGLM3-6B, as far as it matters. */
const chatGlm3 = {
  model_type: 'chatglm',
  add_bias_linear: false,
  add_qkv_bias: true,
  apply_query_key_layer_scaling: true,
  apply_residual_connection_post_layernorm: false,
  ffn_hidden_size: 13696,
  hidden_size: 4096,
  kv_channels: 128,
  layernorm_epsilon: 1e-5,
  multi_query_attention: true,
  multi_query_group_num: 2,
  num_attention_heads: 32,
  num_layers: 28,
  padded_vocab_size: 65024,
  post_layer_norm: true,
  rmsnorm: true,
  seq_length: 8192,
  quantization_bit: 0,
  pre_seq_len: null,
  eos_token_id: 2,
  pad_token_id: 0,
};
const parse = (changes: object = {}) => parseConfig({ ...chatGlm3, ...changes }, 'config.json');
const shapeOf = (changes: object, name: string) =>
  chatGlm2Tensors(parse(changes)).find((tensor) => tensor.name === name)?.shape;
const layer = 'transformer.encoder.layers.27';

test('ChatGLM3-6B has its published number of parameters', () => {
  assert.equal(countParameters(parse()), 6_243_584_000);
  assert.equal(chatGlm2Tensors(parse()).length, 3 + 28 * 7);
});

test('LoRA on query_key_value of ChatGLM3-6B with r 8 has 1 949 696 parameters', () => {
  assert.equal(countLoraParameters(loraShapes(parse(), 8, ['query_key_value'])), 1_949_696);
  const [first] = loraShapes(parse(), 8, ['query_key_value']);
  assert.deepEqual(first?.a, [8, 4096]);
  assert.deepEqual(first?.b, [4608, 8]);
});

test('a target matches whole parts of a module path', () => {
  const modules = loraShapes(parse(), 8, ['dense']).map(({ module }) => module);
  assert.equal(modules.length, 28);
  assert.ok(modules.every((module) => module.endsWith('.self_attention.dense')));
  assert.equal(loraShapes(parse(), 8, ['layers.3.mlp.dense_4h_to_h']).length, 1);
  assert.deepEqual(unknownTargets(parse(), ['dense', 'q_proj', 'ense']), ['q_proj', 'ense']);
  assert.deepEqual(
    unknownTargets(parse(), ['query_key_value', 'dense', 'dense_h_to_4h', 'dense_4h_to_h']),
    [],
  );
});

test('the variants of the family change the tensors they should', () => {
  const qkv = `${layer}.self_attention.query_key_value`;
  assert.deepEqual(shapeOf({}, `${qkv}.weight`), [4608, 4096]);
  assert.deepEqual(shapeOf({}, `${qkv}.bias`), [4608]);
  assert.equal(shapeOf({ add_qkv_bias: false }, `${qkv}.bias`), undefined);
  assert.deepEqual(shapeOf({ add_qkv_bias: false, add_bias_linear: true }, `${qkv}.bias`), [4608]);
  assert.deepEqual(shapeOf({ add_bias_linear: true }, `${layer}.mlp.dense_h_to_4h.bias`), [27392]);
  assert.deepEqual(shapeOf({ multi_query_attention: false }, `${qkv}.weight`), [3 * 4096, 4096]);
  assert.deepEqual(shapeOf({ rmsnorm: false }, 'transformer.encoder.final_layernorm.bias'), [4096]);
  assert.equal(shapeOf({ post_layer_norm: false }, 'transformer.encoder.final_layernorm.weight'), undefined);
  assert.deepEqual(shapeOf({ kv_channels: 64 }, `${layer}.self_attention.dense.weight`), [4096, 2048]);
});
