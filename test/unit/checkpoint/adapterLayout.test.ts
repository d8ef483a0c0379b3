import assert from 'node:assert/strict';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  checkLora,
  openAdapter,
  writeAdapter,
  type LoraFiles,
  type LoraWeights,
} from '../../../src/checkpoint/adapter';
import { convertAdapter, type ConvertedAdapter } from '../../../src/checkpoint/adapterLayout';
import { readConfig } from '../../../src/checkpoint/config';
import { loraScale, loraShapes } from '../../../src/checkpoint/lora';
import { differenceConfig, differenceLayer } from '../../../src/checkpoint/pissa';
import type { GlmConfig, LoraConfig, ModelConfig } from '../../../src/checkpoint/types';
import { Random } from '../../../src/engine/random';
import { fixture } from '../fixtures';
import { temporaryDirectory } from './temporary';

const fused = readConfig(fixture('models/glm4-9b'));
/** The same sizes in the layout of `transformers`. */
const split: GlmConfig = {
  ...(readConfig(fixture('models/glm-hf')) as GlmConfig),
  num_hidden_layers: 2,
  hidden_size: 48,
  intermediate_size: 180,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
};
const base: LoraConfig = {
  r: 4,
  lora_alpha: 8,
  lora_dropout: 0,
  target_modules: 'all-linear',
  use_rslora: false,
  use_dora: false,
  base_model_name_or_path: null,
};

function filled(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => random.normal());
}

/** An adapter with random numbers, written and opened. */
function randomAdapter(context: TestContext, model: ModelConfig, config: LoraConfig): LoraFiles {
  const random = new Random(11);
  const layers = loraShapes(model, config).map((shape): LoraWeights => ({
    module: shape.module,
    a: shape.a,
    b: shape.b,
    aData: filled(shape.a[0] * shape.a[1], random),
    bData: filled(shape.b[0] * shape.b[1], random),
    magnitudeData: shape.magnitude && filled(shape.magnitude[0], random),
  }));
  return written(context, config, layers);
}

function written(context: TestContext, config: LoraConfig, layers: LoraWeights[]): LoraFiles {
  const directory = path.join(temporaryDirectory(context), 'adapter');
  writeAdapter(directory, config, layers);
  const files = openAdapter(directory);
  assert.ok(files.kind === 'lora');
  context.after(() => files.reader.close());
  return files;
}

/** scale·B·A of every layer by module: `[out, in]`. */
function changes(
  files: LoraFiles,
  model: ModelConfig,
): Map<string, { rows: Float32Array[]; magnitude: Float32Array | null }> {
  return new Map(
    checkLora(files, model).map(({ module, a, b, magnitude }) => {
      const [first, second] = ['A', 'B'].map((part) =>
        files.reader.readFloat32(`base_model.model.${module}.lora_${part}.weight`),
      );
      const scale = loraScale(files.config, module);
      const rows = Array.from({ length: b[0] }, (_, row) =>
        Float32Array.from({ length: a[1] }, (_, column) => {
          let sum = 0;
          for (let k = 0; k < a[0]; k++) sum += second[row * a[0] + k] * first[k * a[1] + column];
          return scale * sum;
        }),
      );
      const lengths =
        magnitude && files.reader.readFloat32(`base_model.model.${module}.lora_magnitude_vector`);
      return [module, { rows, magnitude: lengths }];
    }),
  );
}

const OTHERS: [string, string][] = [
  ['self_attention.dense', 'self_attn.o_proj'],
  ['mlp.dense_h_to_4h', 'mlp.gate_up_proj'],
  ['mlp.dense_4h_to_h', 'mlp.down_proj'],
];

/** Both adapters change every row of the weights by the same numbers. */
function assertSameChange(fusedFiles: LoraFiles, splitFiles: LoraFiles): void {
  const [whole, parts] = [changes(fusedFiles, fused), changes(splitFiles, split)];
  for (let layer = 0; layer < 2; layer++) {
    const [from, to] = [`transformer.encoder.layers.${layer}`, `model.layers.${layer}`];
    const joined = ['q', 'k', 'v'].flatMap((name) => parts.get(`${to}.self_attn.${name}_proj`) ?? []);
    const pairs = [
      [
        whole.get(`${from}.self_attention.query_key_value`),
        { rows: joined.flatMap(({ rows }) => rows) },
      ] as const,
    ];
    for (const [theirs, ours] of OTHERS) {
      const pair = [whole.get(`${from}.${theirs}`), parts.get(`${to}.${ours}`)] as const;
      if (pair[0] || pair[1]) pairs.push([pair[0], pair[1]!]);
    }
    for (const [x, y] of pairs) {
      assert.equal(x!.rows.length, y.rows.length);
      x!.rows.forEach((row, r) =>
        row.forEach((value, c) =>
          assert.ok(Math.abs(value - y.rows[r][c]) < 1e-5, `${value} ${y.rows[r][c]}`),
        ),
      );
    }
    const magnitude = whole.get(`${from}.self_attention.query_key_value`)?.magnitude;
    if (magnitude)
      assert.deepEqual(
        [...magnitude],
        joined.flatMap((part) => [...part.magnitude!]),
      );
  }
}

function save(context: TestContext, { config, layers }: ConvertedAdapter): LoraFiles {
  return written(context, config, layers);
}

for (const [title, change] of [
  ['LoRA', {}],
  ['LoRA with rank stabilisation', { use_rslora: true }],
  ['DoRA', { use_dora: true }],
  [
    'LoRA with ranks of its own',
    {
      rank_pattern: { dense: 2, 'layers.1.self_attention.query_key_value': 6 },
      alpha_pattern: { dense_4h_to_h: 3 },
    },
  ],
] as [string, Partial<LoraConfig>][]) {
  test(`${title}: fused to split and back changes nothing`, (context) => {
    const source = randomAdapter(context, fused, { ...base, ...change });
    const there = save(context, convertAdapter(source, split));
    assertSameChange(source, there);
    const back = save(context, convertAdapter(there, fused));
    assert.deepEqual([...back.reader.tensors.keys()].sort(), [...source.reader.tensors.keys()].sort());
    for (const name of source.reader.tensors.keys())
      assert.deepEqual(back.reader.readFloat32(name), source.reader.readFloat32(name), name);
  });
}

for (const [title, change] of [
  ['LoRA', {}],
  ['LoRA with rank stabilisation', { use_rslora: true }],
  ['DoRA', { use_dora: true }],
  ['LoRA with different ranks', { rank_pattern: { k_proj: 2 }, alpha_pattern: { k_proj: 4 } }],
  ['LoRA on queries and values only', { target_modules: ['q_proj', 'v_proj'] }],
  ['LoRA on one layer', { target_modules: '.*\\.1\\..*' }],
] as [string, Partial<LoraConfig>][]) {
  test(`${title}: split to fused is exact`, (context) => {
    const source = randomAdapter(context, split, { ...base, ...change });
    const there = save(context, convertAdapter(source, fused));
    const [whole, parts] = [changes(there, fused), changes(source, split)];
    for (const [module, { rows }] of whole) {
      if (!module.endsWith('query_key_value')) continue;
      const layer = Number(module.split('.')[3]);
      const expected = [64, 32, 32].flatMap((count, i) => {
        const part = parts.get(`model.layers.${layer}.self_attn.${'qkv'[i]}_proj`);
        return part?.rows ?? Array.from({ length: count }, () => new Float32Array(48));
      });
      rows.forEach((row, r) => row.forEach((value, c) => assert.ok(Math.abs(value - expected[r][c]) < 1e-5)));
    }
    if (title === 'LoRA' || title === 'DoRA') {
      assertSameChange(there, source);
      assert.deepEqual(there.config.rank_pattern, { query_key_value: 12 });
      assert.deepEqual(there.config.alpha_pattern, { query_key_value: 24 });
    }
    if (title.endsWith('one layer'))
      assert.ok(there.config.target_modules.includes('transformer.encoder.layers.1.mlp.dense_h_to_4h'));
    if (title.endsWith('only')) assert.deepEqual(there.config.target_modules, ['query_key_value']);
  });
}

test('what cannot be converted exactly is refused with the reason', (context) => {
  const refuses = (files: LoraFiles, model: ModelConfig, reason: string): void =>
    assert.throws(
      () => convertAdapter(files, model),
      (error) => (error as { args?: { reason?: string } }).args?.reason === reason,
      reason,
    );
  const lora = randomAdapter(context, fused, base);
  refuses(lora, fused, 'sameLayout');
  refuses(lora, { ...split, architecture: 'glm4' }, 'noCounterpart');
  refuses(lora, { ...split, num_key_value_heads: 4 }, 'perHeadLayout');
  refuses(lora, readConfig(fixture('models/chatglm-v1')), 'noCounterpart');
  const parts = randomAdapter(context, split, base);
  refuses(parts, readConfig(fixture('variants/chatglm3-full-attention-heads')), 'perHeadLayout');
  refuses(randomAdapter(context, readConfig(fixture('models/chatglm-v1')), base), split, 'chatglmLayout');
  refuses(randomAdapter(context, split, { ...base, alpha_pattern: { k_proj: 4 } }), fused, 'scale');
  refuses(
    randomAdapter(context, split, { ...base, use_dora: true, target_modules: ['q_proj'] }),
    fused,
    'doraPart',
  );
  const other = { ...base, target_modules: ['lm_head'] };
  const head = { module: 'lm_head', a: [4, 48], b: [9, 4] } as const;
  const layer = { ...head, aData: new Float32Array(4 * 48), bData: new Float32Array(36) };
  refuses(written(context, other, [layer]), split, 'module');
  assert.throws(() => convertAdapter(lora, { ...split, intermediate_size: 181 }), {
    code: 'checkpoint.doesNotFit',
  });
});

test('the difference from the first values: twice the rank, the same factor', () => {
  const random = new Random(4);
  const trained: LoraWeights = {
    module: 'x',
    a: [3, 5],
    b: [4, 3],
    aData: filled(15, random),
    bData: filled(12, random),
    magnitudeData: filled(4, random),
  };
  const first = { aData: filled(15, random), bData: filled(12, random) };
  const wide = differenceLayer(trained, first);
  assert.deepEqual(
    [wide.a, wide.b],
    [
      [6, 5],
      [4, 6],
    ],
  );
  const product = (
    aData: Float32Array,
    bData: Float32Array,
    rank: number,
    row: number,
    column: number,
  ): number => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += bData[row * rank + k] * aData[k * 5 + column];
    return sum;
  };
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 5; column++) {
      const expected =
        product(trained.aData, trained.bData, 3, row, column) -
        product(first.aData, first.bData, 3, row, column);
      assert.ok(Math.abs(product(wide.aData, wide.bData, 6, row, column) - expected) < 1e-12);
    }
  }
  assert.equal(wide.magnitudeData, trained.magnitudeData);
  for (const use_rslora of [false, true]) {
    const config = { ...base, use_rslora, rank_pattern: { q: 3 }, alpha_pattern: { q: 7 } };
    for (const module of ['x.q', 'x.k']) {
      const [before, after] = [loraScale(config, module), loraScale(differenceConfig(config), module)];
      assert.ok(Math.abs(after / before - 1) < 1e-15);
    }
  }
});
