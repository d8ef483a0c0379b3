import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkAdapter, openAdapter, requireEncoder, writePrefix } from '../../../src/checkpoint/adapter';
import { readConfig } from '../../../src/checkpoint/config';
import { prefixPositionOffset, prefixShapes } from '../../../src/checkpoint/prefix';
import type { PrefixFiles } from '../../../src/checkpoint/prefixFiles';
import { encodeOnHost } from '../../../src/checkpoint/prefixWriter';
import { openSafetensors } from '../../../src/checkpoint/safetensors';
import { writeSafetensors } from '../../../src/checkpoint/safetensorsWriter';
import { writeTorchFile } from '../../../src/checkpoint/torchFile/writer';
import type { ModelConfig, PrefixConfig, TensorToWrite } from '../../../src/checkpoint/types';
import { fixture, readJsonFixture } from '../fixtures';
import { temporaryDirectory } from './temporary';

const thudm: PrefixConfig = {
  variant: 'thudm',
  pre_seq_len: 8,
  prefix_projection: false,
  encoder_hidden_size: null,
  base_model_name_or_path: null,
};

function openPrefix(place: string): PrefixFiles {
  const files = openAdapter(place);
  assert.ok(files.kind === 'prefix');
  return files;
}

function encoderValues(model: ModelConfig, prefix: PrefixConfig): Map<string, Float32Array> {
  return new Map(
    prefixShapes(model, prefix).tensors.map(({ name, shape }, k) => {
      const length = shape.reduce((product, size) => product * size, 1);
      return [name, Float32Array.from({ length }, (_, i) => Math.sin(i * 0.37 + k))];
    }),
  );
}

for (const name of ['chatglm-v1', 'chatglm2', 'chatglm3']) {
  for (const projected of [false, true]) {
    test(`${name}: the encoder${projected ? ' with projection' : ''} has the shapes of THUDM's own`, () => {
      const model = readConfig(fixture(`models/${name}`));
      const run = `golden/${name}/train-ptuning${projected ? '-projection' : ''}.safetensors`;
      const reference = openSafetensors([fixture(run)]);
      const { tensors } = prefixShapes(model, { ...thudm, prefix_projection: projected });
      const expected = [...reference.tensors.keys()].filter((key) => key.startsWith('init.'));
      assert.deepEqual(tensors.map((tensor) => `init.${tensor.name}`).sort(), expected.sort());
      for (const tensor of tensors)
        assert.deepEqual([...tensor.shape], reference.tensors.get(`init.${tensor.name}`)!.shape, tensor.name);
      reference.close();
    });
  }
}

for (const name of ['glm-hf', 'glm4-0414']) {
  for (const projected of [false, true]) {
    const directory = `adapters/${name}-train-prefix${projected ? '-projection' : ''}`;
    test(`${directory}: what PEFT wrote opens, and what is written has the same settings`, (context) => {
      const model = readConfig(fixture(`models/${name}`));
      const files = openPrefix(fixture(directory));
      assert.equal(files.projection, projected ? 'lost' : 'none');
      const [table] = prefixShapes(model, files.config).tensors;
      assert.equal(checkAdapter(files, model).tensors.length, 1);
      assert.equal(prefixPositionOffset(files.config), 8);
      const values = new Map([[table.name, files.reader.readFloat32(table.name)]]);
      if (projected) assert.throws(() => requireEncoder(files), { code: 'adapter.projectionLost' });
      else requireEncoder(files);
      files.reader.close();
      const target = path.join(temporaryDirectory(context), 'out');
      const base = fixture(`models/${name}`);
      writePrefix(target, { config: files.config, model, base, values });
      const again = openPrefix(target);
      assert.deepEqual(again.reader.readFloat32(table.name), values.get(table.name));
      again.reader.close();
      const json = readJsonFixture<Record<string, unknown>>(`${directory}/adapter_config.json`);
      const written = readJson(path.join(target, 'adapter_config.json'));
      // A lost projection is written as what it is: a table.
      const plain = { encoder_hidden_size: json.token_dim, prefix_projection: false };
      for (const [key, value] of Object.entries(written))
        assert.deepEqual(value, { ...json, ...plain }[key], key);
      const record = readJson(path.join(target, 'prefix_config.json'));
      assert.equal(record.variant, 'peft');
      assert.equal(record.position_offset, 8);
    });
  }
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
}

test("PEFT's encoder with projection has the shapes of the reference, and goes on from our own file", (context) => {
  const name = 'glm-hf';
  const model = readConfig(fixture(`models/${name}`));
  const config: PrefixConfig = {
    ...thudm,
    variant: 'peft',
    prefix_projection: true,
    encoder_hidden_size: 32,
  };
  const reference = openSafetensors([fixture(`golden/${name}/train-prefix-projection.safetensors`)]);
  const shapes = prefixShapes(model, config);
  for (const tensor of shapes.tensors) {
    const key = [...reference.tensors.keys()].find(
      (candidate) => candidate.startsWith('init.') && candidate.endsWith(ending(tensor.name)),
    );
    assert.ok(key, tensor.name);
    assert.deepEqual(reference.tensors.get(key)!.shape, [...tensor.shape]);
  }
  reference.close();
  const target = path.join(temporaryDirectory(context), 'out');
  const values = encoderValues(model, config);
  writePrefix(target, { config, model, base: fixture(`models/${name}`), values });
  const files = openPrefix(target);
  assert.equal(files.projection, 'kept');
  assert.deepEqual(files.config, config);
  requireEncoder(files);
  assert.equal(checkAdapter(files, model).tensors.length, 5);
  for (const [tensor, value] of values) assert.deepEqual(files.reader.readFloat32(tensor), value);
  files.reader.close();
  const peft = openSafetensors([path.join(target, 'adapter_model.safetensors')]);
  assert.deepEqual([...peft.tensors.keys()], ['prompt_embeddings']);
  assert.deepEqual(peft.readFloat32('prompt_embeddings'), encodeOnHost(shapes, 8, values));
  assert.equal(peft.files[0].metadata.position_offset, '8');
  peft.close();
});

/** `transform.0.weight`: what is the same under every name of the adapter. */
function ending(name: string): string {
  return /(embedding|transform)\..*$/.exec(name)![0];
}

for (const projected of [false, true]) {
  test(`a THUDM prefix ${projected ? 'with' : 'without'} projection survives writing and reading`, (context) => {
    const model = readConfig(fixture('models/chatglm3'));
    const base = fixture('models/chatglm3');
    const config = { ...thudm, prefix_projection: projected };
    const target = path.join(temporaryDirectory(context), 'out');
    const values = encoderValues(model, config);
    writePrefix(target, { config, model, base, values }, (temporary) =>
      fs.writeFileSync(path.join(temporary, 'beside'), ''),
    );
    assert.deepEqual(fs.readdirSync(target).sort(), [
      'beside',
      'config.json',
      'prefix_config.json',
      'pytorch_model.bin',
    ]);
    const json = readJson(path.join(target, 'config.json'));
    assert.deepEqual(json, {
      ...readJson(path.join(base, 'config.json')),
      pre_seq_len: 8,
      prefix_projection: projected,
    });
    const files = openPrefix(target);
    assert.equal(files.config.variant, 'thudm');
    assert.equal(files.config.prefix_projection, projected);
    assert.equal(prefixPositionOffset(files.config), 0);
    checkAdapter(files, model);
    for (const [tensor, value] of values) assert.deepEqual(files.reader.readFloat32(tensor), value);
    files.reader.close();
  });
}

/** A directory with the given tensors in `pytorch_model.bin` and, perhaps, a configuration. */
function thudmDirectory(
  context: TestContext,
  tensors: [string, number[]][],
  config?: Record<string, unknown>,
): string {
  const directory = temporaryDirectory(context);
  writeTorchFile(path.join(directory, 'pytorch_model.bin'), tensors.map(zeros));
  if (config) fs.writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

function zeros([name, shape]: [string, number[]]): TensorToWrite {
  const count = shape.reduce((product, size) => product * size, 1);
  return { name, dtype: 'F32', shape, data: new Uint8Array(4 * count) };
}

const table = 'transformer.prefix_encoder.embedding.weight';

test('a prefix inside a whole model, one without configuration, one with shortened names', (context) => {
  const model = readConfig(fixture('models/chatglm3'));
  const width = prefixShapes(model, thudm).width;
  const whole = thudmDirectory(context, [
    ['transformer.output_layer.weight', [3, 2]],
    [table, [5, width]],
  ]);
  const files = openPrefix(whole);
  assert.equal(files.config.pre_seq_len, 5);
  assert.deepEqual([...files.reader.tensors.keys()], [table]);
  checkAdapter(files, model);
  files.reader.close();
  const short = openPrefix(thudmDirectory(context, [['prefix_encoder.embedding.weight', [5, width]]]));
  checkAdapter(short, model);
  assert.equal(short.reader.readFloat32(table).length, 5 * width);
  short.reader.close();
});

test('a prefix that contradicts its configuration, or the model, is refused with the difference', (context) => {
  const model = readConfig(fixture('models/chatglm3'));
  const { width } = prefixShapes(model, thudm);
  const cases: [string, ModelConfig][] = [
    [thudmDirectory(context, [[table, [5, width]]], { pre_seq_len: 6 }), model],
    [thudmDirectory(context, [[table, [5, width]]], { pre_seq_len: 5, prefix_projection: true }), model],
    [thudmDirectory(context, [[table, [5, width + 1]]]), model],
    [thudmDirectory(context, [[table, [5, width]]]), readConfig(fixture('models/glm-hf'))],
  ];
  for (const [directory, target] of cases) {
    const files = openPrefix(directory);
    assert.throws(() => checkAdapter(files, target), { code: 'checkpoint.doesNotFit' });
    files.reader.close();
  }
});

test("ChatGLM2's prefixes of June 2023 are refused by name", (context) => {
  const model = readConfig(fixture('models/chatglm2'));
  const hidden = 48;
  const old = 2 * 2 * hidden;
  const names = ['trans.0.weight', 'trans.0.bias', 'trans.2.weight', 'trans.2.bias'];
  const shapes = [[hidden, hidden], [hidden], [old, hidden], [old]];
  const rest = names.map((name, i): [string, number[]] => [`transformer.prefix_encoder.${name}`, shapes[i]]);
  for (const tensors of [[[table, [8, old]]], [[table, [8, hidden]], ...rest]] as [string, number[]][][]) {
    const files = openPrefix(thudmDirectory(context, tensors));
    assert.throws(() => checkAdapter(files, model), { code: 'adapter.oldPrefix' });
    files.reader.close();
  }
});

test('a PEFT prefix of another model is refused with the key that tells it, and so is one for an encoder-decoder', (context) => {
  const directory = temporaryDirectory(context);
  const source = fixture('adapters/glm-hf-train-prefix');
  const json = readJson(path.join(source, 'adapter_config.json'));
  const put = (change: Record<string, unknown>): void =>
    fs.writeFileSync(path.join(directory, 'adapter_config.json'), JSON.stringify({ ...json, ...change }));
  fs.copyFileSync(
    path.join(source, 'adapter_model.safetensors'),
    path.join(directory, 'adapter_model.safetensors'),
  );
  const model = readConfig(fixture('models/glm-hf'));
  for (const [key, value] of [
    ['num_layers', 4],
    ['num_attention_heads', 4],
    ['token_dim', 48],
  ] as const) {
    put({ [key]: value });
    const files = openPrefix(directory);
    assert.throws(
      () => checkAdapter(files, model),
      (error) => (error as { args: { key: string } }).args.key === key,
    );
    files.reader.close();
  }
  put({ num_transformer_submodules: 2 });
  assert.throws(() => openAdapter(directory), { code: 'checkpoint.badConfig' });
  put({ num_virtual_tokens: -1 });
  assert.throws(() => openAdapter(directory), { code: 'checkpoint.badConfig' });
});

test("PEFT's weights in torch's format are read", (context) => {
  const directory = temporaryDirectory(context);
  const source = fixture('adapters/chatglm3-train-lora-attn');
  const reader = openSafetensors([path.join(source, 'adapter_model.safetensors')]);
  const tensors = [...reader.tensors.values()].map(({ name, dtype, shape, byteLength }) => {
    const data = new Uint8Array(byteLength);
    reader.readInto(name, data);
    return { name, dtype, shape, data };
  });
  writeTorchFile(path.join(directory, 'adapter_model.bin'), tensors);
  fs.copyFileSync(path.join(source, 'adapter_config.json'), path.join(directory, 'adapter_config.json'));
  const adapter = openAdapter(directory);
  checkAdapter(adapter, readConfig(fixture('models/chatglm3')));
  const [first] = reader.tensors.keys();
  assert.deepEqual(adapter.reader.readFloat32(first), reader.readFloat32(first));
  adapter.reader.close();
  reader.close();
});

test('a directory with weights but no prefix is no adapter', (context) => {
  const directory = temporaryDirectory(context);
  assert.throws(() => openAdapter(directory), { code: 'checkpoint.noAdapter' });
  assert.throws(() => openAdapter(path.join(directory, 'missing')), { code: 'checkpoint.noAdapter' });
  writeSafetensors(path.join(directory, 'model.safetensors'), [zeros(['x', [1]])]);
  assert.throws(() => openAdapter(directory), { code: 'checkpoint.noAdapter' });
});
