import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  checkLora,
  loraScale,
  loraTensorName,
  openAdapter,
  writeAdapter,
  type LoraFiles,
} from '../../../src/checkpoint/adapter';
import { parseAdapterConfig } from '../../../src/checkpoint/adapterConfig';
import { readConfig } from '../../../src/checkpoint/config';
import { fileFingerprint, modelFingerprint } from '../../../src/checkpoint/fingerprint';
import { openWeights } from '../../../src/checkpoint/checkpoint';
import type { ChatGlm2Config } from '../../../src/checkpoint/types';
import { GlmError } from '../../../src/protocol/errors';
import { fixture, readJsonFixture } from '../fixtures';
import { temporaryDirectory } from './temporary';

const directory = 'adapters/chatglm3-train-lora-all';
const json = readJsonFixture<Record<string, unknown>>(`${directory}/adapter_config.json`);
const model = readConfig(fixture('models/chatglm3')) as ChatGlm2Config;

function openLora(place: string): LoraFiles {
  const adapter = openAdapter(place);
  assert.ok(adapter.kind === 'lora');
  return adapter;
}

test('an adapter that PEFT wrote opens and fits its model', () => {
  const adapter = openLora(fixture(directory));
  assert.deepEqual(adapter.config, {
    r: 4,
    lora_alpha: 8,
    lora_dropout: 0,
    target_modules: ['dense', 'query_key_value', 'dense_4h_to_h', 'dense_h_to_4h'],
    use_rslora: false,
    use_dora: false,
    base_model_name_or_path: 'tiny-chatglm3',
  });
  assert.equal(checkLora(adapter, model).length, 12);
  assert.equal(loraScale(adapter.config), 2);
  assert.equal(loraScale({ ...adapter.config, use_rslora: true }), 4);
  adapter.reader.close();
});

test('an adapter for another model is refused with every difference', () => {
  const adapter = openLora(fixture(directory));
  assert.throws(
    () => checkLora(adapter, { ...model, num_layers: 4, ffn_hidden_size: 101 }),
    (error) => {
      assert.ok(error instanceof GlmError && error.code === 'checkpoint.doesNotFit');
      const { count, of } = error.args as { count: number; of: string };
      assert.equal(of, 'adapter');
      // Eight missing matrices of the fourth layer, and two wrong shapes in each of the three others.
      assert.equal(count, 8 + 3 * 2);
      return true;
    },
  );
  const config = { ...adapter.config, target_modules: ['q_proj'] };
  assert.throws(() => checkLora({ ...adapter, config }, model), { code: 'checkpoint.unknownTarget' });
  adapter.reader.close();
});

test('an adapter survives writing and reading, also over an older one', (context) => {
  const target = path.join(temporaryDirectory(context), 'adapter');
  const source = openLora(fixture(directory));
  const layers = checkLora(source, model).map((shape) => ({
    ...shape,
    aData: source.reader.readFloat32(loraTensorName(shape.module, 'A')),
    bData: source.reader.readFloat32(loraTensorName(shape.module, 'B')),
  }));
  for (let round = 0; round < 2; round++) {
    writeAdapter(target, source.config, layers, (temporary) =>
      fs.writeFileSync(path.join(temporary, 'x'), ''),
    );
  }
  const copy = openLora(target);
  assert.deepEqual(copy.config, source.config);
  for (const [name, entry] of source.reader.tensors) {
    assert.deepEqual(copy.reader.tensors.get(name)!.shape, entry.shape);
    assert.deepEqual(copy.reader.readFloat32(name), source.reader.readFloat32(name));
  }
  const written = JSON.parse(
    fs.readFileSync(path.join(target, 'adapter_config.json'), 'utf8'),
  ) as typeof json;
  for (const [key, value] of Object.entries(written)) assert.deepEqual(value, json[key], key);
  assert.deepEqual(fs.readdirSync(target).sort(), ['adapter_config.json', 'adapter_model.safetensors', 'x']);
  assert.deepEqual(fs.readdirSync(path.dirname(target)), ['adapter']);
  copy.reader.close();
  source.reader.close();
});

test('a write that fails keeps the older adapter', (context) => {
  const target = path.join(temporaryDirectory(context), 'adapter');
  const config = parseAdapterConfig(json, 'c');
  writeAdapter(target, config, []);
  const fail = () => writeAdapter(target, config, [], () => assert.fail('disk full'));
  assert.throws(fail, /disk full/);
  openAdapter(target).reader.close();
  assert.deepEqual(fs.readdirSync(path.dirname(target)), ['adapter']);
});

const unsupported: [string, unknown][] = [
  ['peft_type', 'IA3'],
  ['peft_type', undefined],
  ['bias', 'lora_only'],
  ['lora_bias', true],
  ['modules_to_save', ['output_layer']],
  ['init_lora_weights', 'pissa_niter_4'],
  ['fan_in_fan_out', true],
  ['layers_to_transform', [1]],
  ['layers_to_transform', 1],
];
for (const [key, value] of unsupported) {
  test(`an adapter with ${key} = ${JSON.stringify(value)} is refused by name`, () => {
    assert.throws(
      () => parseAdapterConfig({ ...json, [key]: value }, 'c'),
      (error) => error instanceof GlmError && (error.args as { key: string }).key === key,
    );
  });
}

for (const [key, value] of [
  ['r', 0],
  ['r', '8'],
  ['r', 1e12],
  ['lora_alpha', -1],
  ['lora_alpha', undefined],
  ['lora_dropout', 1],
  ['target_modules', []],
  ['target_modules', [7]],
  ['target_modules', ''],
  ['use_dora', 'yes'],
  ['rank_pattern', { dense: 0 }],
  ['rank_pattern', ['dense']],
  ['alpha_pattern', { dense: '2' }],
  ['base_model_name_or_path', 7],
] as [string, unknown][]) {
  test(`an adapter with ${key} = ${JSON.stringify(value)} is refused`, () => {
    assert.throws(() => parseAdapterConfig({ ...json, [key]: value }, 'c'), { code: 'checkpoint.badConfig' });
  });
}

test('a directory without an adapter says so', () => {
  assert.throws(() => openAdapter(fixture('models/chatglm2')), { code: 'checkpoint.noAdapter' });
});

test('fingerprints depend on content and names, not on the place', (context) => {
  const copy = temporaryDirectory(context);
  fs.cpSync(fixture('models/chatglm3'), copy, { recursive: true });
  const fingerprint = (place: string): string => {
    const reader = openWeights(place);
    reader.close();
    return modelFingerprint(reader.files);
  };
  assert.equal(fingerprint(copy), fingerprint(fixture('models/chatglm3')));
  assert.match(fingerprint(copy), /^[0-9a-f]{64}$/);
  assert.notEqual(fingerprint(fixture('models/chatglm2')), fingerprint(copy));
  fs.writeFileSync(path.join(copy, 'abc'), 'abc');
  assert.deepEqual(fileFingerprint(path.join(copy, 'abc')), {
    path: path.join(copy, 'abc'),
    bytes: 3,
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  });
});
