import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig, readConfig } from '../../../src/checkpoint/config';
import { countLoraParameters, loraShapes, unknownTargets } from '../../../src/checkpoint/lora';
import { findModelProblems } from '../../../src/checkpoint/modelDoctor';
import { countParameters } from '../../../src/checkpoint/modelTensors';
import { openSafetensors } from '../../../src/checkpoint/safetensors';
import { structureOf } from '../../../src/checkpoint/structure';
import { fixture } from '../fixtures';
import { RELEASED } from './released';

const parse = (model: keyof typeof RELEASED, changes: object = {}) =>
  parseConfig({ ...RELEASED[model], ...changes }, 'config.json');
const structure = (model: keyof typeof RELEASED, changes: object = {}) => structureOf(parse(model, changes));
const shapeOf = (changes: object, name: string) =>
  structure('chatglm3', changes).tensors.find((tensor) => tensor.name === name)?.shape;
const lora = (model: keyof typeof RELEASED, targets: string[] | null) =>
  loraShapes(parse(model), { r: 8, rank_pattern: {}, use_dora: false, target_modules: targets });
const layer = 'transformer.encoder.layers.27';

/** Totals and tensors; ChatGLM-6B by formula: V·H + 28·(12·H² + 13·H) + 2·H, its output layer being the embedding. */
const totals: [keyof typeof RELEASED, number, number][] = [
  ['chatglm', 6_173_286_400, 1 + 28 * 12 + 2],
  ['chatglmImageTokens', 6_255_206_400, 1 + 28 * 12 + 2],
  ['chatglm3', 6_243_584_000, 3 + 28 * 7],
  ['glm4Original', 9_399_951_360, 3 + 40 * 7],
  ['glm4Hf', 9_399_951_360, 3 + 40 * 11],
  ['glm40414', 9_400_279_040, 3 + 40 * 13],
];
for (const [model, parameters, tensors] of totals) {
  test(`${model} has ${parameters} parameters in ${tensors} tensors`, () => {
    assert.equal(countParameters(parse(model)), parameters);
    assert.equal(structure(model).tensors.length, tensors);
  });
}

/** LoRA with r 8 on the attention projections. */
const adapters: [keyof typeof RELEASED, number][] = [
  ['chatglm', 3_670_016],
  ['chatglm3', 1_949_696],
  ['glm4Original', 2_785_280],
];
for (const [model, parameters] of adapters) {
  test(`LoRA on ${model} with r 8 has ${parameters} parameters`, () => {
    const { defaultTargets } = structure(model);
    assert.deepEqual(defaultTargets, ['query_key_value']);
    assert.equal(countLoraParameters(lora(model, null)), parameters);
  });
}

test('the shapes of an adapter are those of its layer', () => {
  const [first] = lora('chatglm3', ['query_key_value']);
  assert.deepEqual(first?.a, [8, 4096]);
  assert.deepEqual(first?.b, [4608, 8]);
  const split = lora('glm4Hf', null);
  assert.deepEqual(
    split.slice(0, 3).map(({ b }) => b[0]),
    [4096, 256, 256],
  );
});

test('a target matches whole parts of a module path', () => {
  const config = parse('chatglm3');
  const modules = lora('chatglm3', ['dense']).map(({ module }) => module);
  assert.equal(modules.length, 28);
  assert.ok(modules.every((module) => module.endsWith('.self_attention.dense')));
  assert.equal(lora('chatglm3', ['layers.3.mlp.dense_4h_to_h']).length, 1);
  assert.deepEqual(unknownTargets(config, ['dense', 'q_proj', 'ense']), ['q_proj', 'ense']);
  assert.deepEqual(
    unknownTargets(config, ['query_key_value', 'dense', 'dense_h_to_4h', 'dense_4h_to_h']),
    [],
  );
});

test('the variants of ChatGLM2 change the tensors they should', () => {
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

test('a tied output layer is the embedding, and a file may hold its copy', () => {
  const tied = structure('chatglm');
  assert.deepEqual([tied.tied, tied.outputWeight], [true, 'transformer.word_embeddings.weight']);
  assert.deepEqual(tied.optional, [{ name: 'lm_head.weight', shape: [130528, 4096] }]);
  const untied = structure('chatglm', { tie_word_embeddings: false });
  assert.deepEqual([untied.tied, untied.outputWeight, untied.optional.length], [false, 'lm_head.weight', 0]);
  assert.equal(untied.tensors.at(-1)?.name, 'lm_head.weight');
  const edge = structure('glm4Hf', { tie_word_embeddings: true });
  assert.deepEqual(
    [edge.outputWeight, edge.tensors.at(-1)?.name],
    ['model.embed_tokens.weight', 'model.norm.weight'],
  );
});

test('norms are told from matrices', () => {
  const norms = (model: keyof typeof RELEASED) => {
    const { tensors, isNorm, linears, embedding, outputWeight } = structure(model);
    const others = new Set([
      embedding,
      outputWeight,
      ...linears.flatMap(({ module: m }) => [`${m}.weight`, `${m}.bias`]),
    ]);
    assert.ok(tensors.every(({ name }) => isNorm(name) !== others.has(name)));
    return tensors.filter(({ name }) => isNorm(name)).length;
  };
  assert.equal(norms('chatglm'), 28 * 4 + 2);
  assert.equal(norms('chatglm3'), 28 * 2 + 1);
  assert.equal(norms('glm4Hf'), 40 * 2 + 1);
  assert.equal(norms('glm40414'), 40 * 4 + 1);
});

const checkpoints = [
  'models/chatglm-v1',
  'models/chatglm2',
  'models/chatglm3-fp16',
  'models/glm-hf',
  'models/glm4-0414',
  'models/glm4-9b',
  'variants/chatglm-v1-untied',
  'variants/glm-edge-like',
  'variants/glm4-bias',
];
for (const directory of checkpoints) {
  test(`${directory} holds what its configuration calls for, and nothing else`, () => {
    const reader = openSafetensors([fixture(`${directory}/model.safetensors`)]);
    assert.deepEqual(findModelProblems(readConfig(fixture(directory)), reader.tensors), []);
    reader.close();
  });
}
