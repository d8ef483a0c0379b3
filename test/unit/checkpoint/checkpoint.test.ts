import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { openCheckpoint, openWeights } from '../../../src/checkpoint/checkpoint';
import { checkModel } from '../../../src/checkpoint/modelDoctor';
import { GlmError } from '../../../src/protocol/errors';
import { fixture } from '../fixtures';
import { temporaryDirectory } from './temporary';

const models = ['chatglm2', 'chatglm3', 'chatglm3-fp16'];

for (const model of models) {
  test(`${model} opens, fits its configuration and reads`, () => {
    const { config, reader } = openCheckpoint(fixture(`models/${model}`));
    checkModel(model, config, reader, 672);
    assert.equal(config.architecture, 'chatglm2');
    assert.equal(config.num_layers, model === 'chatglm2' ? 2 : 3);
    const embedding = reader.readFloat32('transformer.embedding.word_embeddings.weight');
    assert.equal(embedding.length, 672 * 48);
    assert.ok(embedding.every(Number.isFinite));
    reader.close();
  });
}

test('float16 weights widen to the float32 weights they were rounded from', () => {
  const { reader: half } = openCheckpoint(fixture('models/chatglm3-fp16'));
  const { reader: full } = openCheckpoint(fixture('models/chatglm3'));
  let compared = 0;
  for (const [name, entry] of half.tensors) {
    if (entry.dtype !== 'F16') continue;
    const rounded = half.readFloat32(name);
    const exact = full.readFloat32(name);
    assert.equal(rounded.length, exact.length);
    rounded.forEach((value, i) => {
      const tolerance = Math.max(Math.abs(exact[i]) * 2 ** -11, 2 ** -25);
      assert.ok(Math.abs(value - exact[i]) <= tolerance, `${name}[${i}]`);
    });
    compared += rounded.length;
  }
  assert.ok(compared > 100_000);
  half.close();
  full.close();
});

test('slices are parts of the whole, and reads outside a tensor are refused', () => {
  const { reader } = openCheckpoint(fixture('models/chatglm2'));
  const name = 'transformer.output_layer.weight';
  const whole = new Uint8Array(reader.tensors.get(name)!.byteLength);
  reader.readInto(name, whole);
  const part = new Uint8Array(1000);
  reader.readSlice(name, 4096, part);
  assert.deepEqual(part, whole.subarray(4096, 5096));
  assert.deepEqual(reader.readFloat32(name), new Float32Array(whole.buffer));
  assert.throws(() => reader.readSlice(name, whole.byteLength - 10, part), RangeError);
  assert.throws(() => reader.readSlice(name, -1, part), RangeError);
  assert.throws(() => reader.readInto(name, part), RangeError);
  assert.throws(() => reader.readFloat32('nothing'), code('checkpoint.noTensor'));
  reader.close();
});

/** A copy of the sharded fixture whose index was edited. */
function withIndex(context: TestContext, edit: (map: Record<string, unknown>) => void): string {
  const directory = temporaryDirectory(context);
  fs.cpSync(fixture('models/chatglm3'), directory, { recursive: true });
  const file = path.join(directory, 'model.safetensors.index.json');
  const index = JSON.parse(fs.readFileSync(file, 'utf8')) as { weight_map: Record<string, unknown> };
  edit(index.weight_map);
  fs.writeFileSync(file, JSON.stringify(index));
  return directory;
}

const code = (expected: string) => (error: unknown) => error instanceof GlmError && error.code === expected;
const output = 'transformer.output_layer.weight';

for (const shard of [
  '../x.safetensors',
  '/etc/x.safetensors',
  '..\\x.safetensors',
  'a\0.safetensors',
  7,
  '..',
]) {
  test(`an index that names ${JSON.stringify(shard)} is refused`, (context) => {
    const directory = withIndex(context, (map) => (map[output] = shard));
    assert.throws(() => openCheckpoint(directory), code('checkpoint.badIndex'));
  });
}

test('a missing shard is named', (context) => {
  const directory = withIndex(context, () => undefined);
  fs.rmSync(path.join(directory, 'model-00002-of-00003.safetensors'));
  assert.throws(
    () => openCheckpoint(directory),
    (error) => code('checkpoint.missingShard')(error) && (error as Error).message.includes('model-00002-of'),
  );
});

test('a tensor that is not in the shard of the index is named', (context) => {
  const directory = withIndex(context, (map) => (map[output] = 'model-00001-of-00003.safetensors'));
  assert.throws(
    () => openCheckpoint(directory),
    (error) => code('checkpoint.notInShard')(error) && (error as Error).message.includes(output),
  );
});

test('what is missing in a directory is said', (context) => {
  const directory = temporaryDirectory(context);
  assert.throws(() => openCheckpoint(path.join(directory, 'none')), code('checkpoint.notFound'));
  assert.throws(() => openCheckpoint(directory), code('checkpoint.noConfig'));
  assert.throws(() => openWeights(directory), code('checkpoint.noWeights'));
  fs.writeFileSync(path.join(directory, 'pytorch_model-00001-of-00007.bin'), '');
  assert.throws(() => openWeights(directory), code('checkpoint.noWeights'));
  fs.writeFileSync(path.join(directory, 'pytorch_model.bin'), '');
  assert.throws(() => openWeights(directory), code('checkpoint.badTorchFile'));
  fs.mkdirSync(path.join(directory, 'model.safetensors'));
  assert.throws(() => openWeights(directory), code('checkpoint.notAFile'));
});
