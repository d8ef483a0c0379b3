import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../src/checkpoint/config';
import {
  countLoraParameters,
  loraScale,
  loraShapes,
  loraTargets,
  loraTensors,
  targetNames,
  unknownTargets,
} from '../../../src/checkpoint/lora';
import { fixture } from '../fixtures';

const chatglm = readConfig(fixture('models/chatglm-v1'));
const chatglm3 = readConfig(fixture('models/chatglm3'));
const glm = readConfig(fixture('models/glm-hf'));
const sizes = { r: 4, use_dora: false };

test('targets: the default of each family, every linear layer, names, one pattern', () => {
  const ends = (config: typeof glm, targets: Parameters<typeof loraTargets>[1]): string[] => [
    ...new Set(loraTargets(config, targets).map(({ module }) => module.split('.').at(-1)!)),
  ];
  assert.deepEqual(ends(chatglm, null), ['query_key_value']);
  assert.deepEqual(ends(glm, null), ['q_proj', 'k_proj', 'v_proj']);
  const all = ['query_key_value', 'dense', 'dense_h_to_4h', 'dense_4h_to_h'];
  assert.deepEqual(ends(chatglm3, 'all-linear'), all);
  assert.deepEqual(ends(chatglm3, 'ALL-LINEAR'), all);
  assert.deepEqual(ends(chatglm3, ['dense']), ['dense']);
  assert.deepEqual(ends(glm, '.*\\.mlp\\..*'), ['gate_up_proj', 'down_proj']);
  assert.equal(loraTargets(chatglm3, 'transformer\\.encoder\\.layers\\.[02]\\..*').length, 8);
  // A pattern is over the whole path.
  assert.equal(loraTargets(chatglm3, 'dense').length, 0);
  assert.throws(() => loraTargets(glm, '(q_proj'), { code: 'adapter.badPattern' });
});

test('names for a configuration, and names that nothing fits', () => {
  assert.deepEqual(targetNames(chatglm3, null), ['query_key_value']);
  assert.deepEqual(targetNames(glm, 'all-linear'), [
    'q_proj',
    'k_proj',
    'v_proj',
    'o_proj',
    'gate_up_proj',
    'down_proj',
  ]);
  assert.deepEqual(targetNames(glm, ['q_proj', 'q_proj']), ['q_proj']);
  assert.deepEqual(unknownTargets(glm, ['q_proj', 'query_key_value']), ['query_key_value']);
  assert.deepEqual(unknownTargets(glm, '.*key_value'), ['.*key_value']);
  assert.deepEqual(unknownTargets(glm, null), []);
});

test('ranks and scales of single layers, by the first pattern that fits the end of a path', () => {
  const lora = {
    ...sizes,
    lora_alpha: 8,
    use_rslora: false,
    target_modules: 'all-linear',
    rank_pattern: { 'layers.1.self_attn.q_proj': 16, q_proj: 2, proj: 99 },
    alpha_pattern: { '[qk]_proj': 32 },
  };
  const shapes = new Map(loraShapes(glm, lora).map((shape) => [shape.module, shape]));
  assert.equal(shapes.get('model.layers.0.self_attn.q_proj')!.a[0], 2);
  assert.equal(shapes.get('model.layers.1.self_attn.q_proj')!.a[0], 16);
  // `proj` is no name of a module: a pattern begins at a dot.
  assert.equal(shapes.get('model.layers.1.self_attn.v_proj')!.b[1], 4);
  assert.equal(loraScale(lora, 'model.layers.0.self_attn.q_proj'), 16);
  assert.equal(loraScale(lora, 'model.layers.0.self_attn.v_proj'), 2);
  assert.equal(loraScale({ ...lora, use_rslora: true }, 'model.layers.1.self_attn.q_proj'), 8);
});

test('DoRA adds a magnitude to every layer', () => {
  const shapes = loraShapes(chatglm3, { r: 4, use_dora: true, target_modules: null });
  const plain = loraShapes(chatglm3, { ...sizes, target_modules: null });
  const rows = shapes.reduce((sum, { outFeatures }) => sum + outFeatures, 0);
  assert.equal(countLoraParameters(shapes), countLoraParameters(plain) + rows);
  assert.deepEqual(loraTensors(shapes).slice(0, 3), [
    {
      name: 'base_model.model.transformer.encoder.layers.0.self_attention.query_key_value.lora_A.weight',
      shape: [4, 48],
    },
    {
      name: 'base_model.model.transformer.encoder.layers.0.self_attention.query_key_value.lora_B.weight',
      shape: [128, 4],
    },
    {
      name: 'base_model.model.transformer.encoder.layers.0.self_attention.query_key_value.lora_magnitude_vector',
      shape: [128],
    },
  ]);
});
