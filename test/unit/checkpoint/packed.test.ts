/** Packed matrices in checkpoints: THUDM's integers, bitsandbytes' 4-bit layers, and what the model doctor says of them. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { nf4Tensors, readNf4 } from '../../../src/checkpoint/packed/bitsandbytes';
import { packNf4, packNf4From, unpackNf4 } from '../../../src/checkpoint/packed/nf4';
import { readPacked, scaleName } from '../../../src/checkpoint/packed/stored';
import { packIntegers, unpackIntegers } from '../../../src/checkpoint/packed/thudm';
import type { FloatDType } from '../../../src/checkpoint/narrow';
import { openWeights } from '../../../src/checkpoint/checkpoint';
import { readConfig } from '../../../src/checkpoint/config';
import { findModelProblems } from '../../../src/checkpoint/modelDoctor';
import { openSafetensors } from '../../../src/checkpoint/safetensors';
import { writeSafetensors } from '../../../src/checkpoint/safetensorsWriter';
import { structureOf } from '../../../src/checkpoint/structure';
import type { StoredDType, TensorEntry, TensorReader, TensorToWrite } from '../../../src/checkpoint/types';
import { GlmError } from '../../../src/protocol/errors';
import { fixture, readJsonFixture } from '../fixtures';
import { temporaryDirectory } from './temporary';

function bytes(reader: TensorReader, name: string): Uint8Array {
  const target = new Uint8Array(reader.tensors.get(name)!.byteLength);
  reader.readInto(name, target);
  return target;
}

function hasFault(error: unknown): boolean {
  return error instanceof GlmError && error.code === 'checkpoint.badTensor';
}

test('THUDM: small matrices under both rules, 4 and 8 bits', () => {
  const reader = openSafetensors([fixture('quant/thudm/matrices.safetensors')]);
  const { cases } = readJsonFixture<{
    cases: { name: string; source_dtype: string; rule: string; bits: 4 | 8 }[];
  }>('quant/thudm/matrices.json');
  assert.equal(cases.length, 8);
  for (const { name, source_dtype, bits } of cases) {
    const sourceDType: FloatDType = source_dtype === 'torch.float16' ? 'F16' : 'F32';
    const rule = name.includes('-v1-') ? 'chatglm' : 'chatglm2';
    const source = reader.readFloat32(`${name}.source`);
    const packed = packIntegers(source, [6, 10], { bits, sourceDType, rule });
    assert.deepEqual(packed.codes, bytes(reader, `${name}.weight`), name);
    assert.deepEqual(packed.scale, reader.readFloat32(`${name}.scale`), name);
    assert.deepEqual(unpackIntegers(packed), reader.readFloat32(`${name}.dequantized`), name);
  }
  reader.close();
});

const THUDM_MODELS: [fixture: string, model: string, bits: 4 | 8][] = [
  ['chatglm-v1-int4', 'chatglm-v1-fp16', 4],
  ['chatglm-v1-int8', 'chatglm-v1-fp16', 8],
  ['chatglm2-int8', 'chatglm2-fp16', 8],
  ['chatglm3-int4', 'chatglm3-fp16', 4],
];

for (const [name, model, bits] of THUDM_MODELS)
  test(`${name}: codes and scales of the float16 checkpoint`, () => {
    const golden = openSafetensors([fixture(`quant/thudm/${name}.safetensors`)]);
    const reader = openWeights(fixture(`models/${model}`));
    const { linears } = structureOf(readConfig(fixture(`models/${model}`)));
    for (const { module, inFeatures, outFeatures } of linears) {
      const weight = `${module}.weight`;
      const shape = [outFeatures, inFeatures] as const;
      const rule = name.startsWith('chatglm-v1') ? 'chatglm' : 'chatglm2';
      const packed = packIntegers(reader.readFloat32(weight), shape, { bits, sourceDType: 'F16', rule });
      const stored = readPacked(golden, weight, shape);
      assert.deepEqual(stored, packed, weight);
      if (golden.tensors.has(`dequantized.${weight}`))
        assert.deepEqual(unpackIntegers(packed), golden.readFloat32(`dequantized.${weight}`));
    }
    golden.close();
    reader.close();
  });

test('a complete int4 checkpoint passes the doctor and equals its quantised float16 source', () => {
  const directory = fixture('models/chatglm2-int4');
  const config = readConfig(directory);
  const reader = openWeights(directory);
  const source = openWeights(fixture('models/chatglm2-fp16'));
  assert.deepEqual(findModelProblems(config, reader.tensors), []);
  for (const { module, inFeatures, outFeatures } of structureOf(config).linears) {
    const weight = `${module}.weight`;
    const shape = [outFeatures, inFeatures] as const;
    const packed = packIntegers(source.readFloat32(weight), shape, {
      bits: 4,
      sourceDType: 'F16',
      rule: 'chatglm2',
    });
    assert.deepEqual(readPacked(reader, weight, shape), packed);
  }
  reader.close();
  source.close();
});

test('the doctor names what does not fit in a quantised checkpoint', () => {
  const directory = fixture('models/chatglm2-int4');
  const config = readConfig(directory);
  const reader = openWeights(directory);
  const [first, second] = structureOf(config).linears.map(({ module }) => `${module}.weight`);
  const tensors = new Map<string, TensorEntry>(reader.tensors);
  reader.close();
  const change = (name: string, changes: Partial<TensorEntry>): void => {
    tensors.set(name, { ...tensors.get(name)!, ...changes });
  };
  tensors.delete(scaleName(first));
  change(scaleName(second), { shape: [47] });
  const problems = findModelProblems(config, tensors);
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ['missing', 'shape'],
  );
  change(second, { dtype: 'F16' });
  assert.ok(findModelProblems(config, tensors).some(({ kind }) => kind === 'dtype'));
});

/** A 4-bit checkpoint as `transformers` saves it: quantised linear layers, the rest as it was. */
function write4Bit(
  directory: string,
  doubleQuant: boolean,
): { file: string; matrices: Map<string, ReturnType<typeof packNf4>> } {
  const model = fixture('models/chatglm3-fp16');
  const reader = openWeights(model);
  const { linears, tensors } = structureOf(readConfig(model));
  const packed = new Set(linears.map(({ module }) => `${module}.weight`));
  const matrices = new Map<string, ReturnType<typeof packNf4>>();
  const written = tensors.flatMap(({ name }): TensorToWrite[] => {
    const { dtype, shape } = reader.tensors.get(name)!;
    if (!packed.has(name)) return [{ name, dtype, shape, data: bytes(reader, name) }];
    const matrix = packNf4From(reader, name, doubleQuant);
    matrices.set(name, matrix);
    return nf4Tensors(name, matrix);
  });
  reader.close();
  const file = path.join(directory, `model-${doubleQuant}.safetensors`);
  writeSafetensors(file, written);
  return { file, matrices };
}

test('bitsandbytes: what is written is read again, with and without double quantisation', (t) => {
  const directory = temporaryDirectory(t);
  const config = readConfig(fixture('models/chatglm3-fp16'));
  for (const doubleQuant of [true, false]) {
    const { file, matrices } = write4Bit(directory, doubleQuant);
    const reader = openSafetensors([file]);
    assert.deepEqual(findModelProblems(config, reader.tensors), []);
    for (const [name, matrix] of matrices) {
      assert.equal(matrix.sourceDType, 'F16');
      assert.deepEqual(readPacked(reader, name, matrix.shape), matrix);
    }
    reader.close();
  }
});

test('bitsandbytes: the tensors are those of the reference, byte by byte', () => {
  const packed = openSafetensors([fixture('quant/nf4/chatglm3/packed.safetensors')]);
  const reader = openWeights(fixture('models/chatglm3'));
  let compared = 0;
  for (const name of reader.tensors.keys()) {
    if (!packed.tensors.has(name)) continue;
    for (const tensor of nf4Tensors(name, packNf4From(reader, name, true))) {
      const entry = packed.tensors.get(tensor.name);
      // The tables are in the file once only.
      if (!entry) continue;
      assert.equal(tensor.dtype, entry.dtype);
      assert.deepEqual(tensor.shape, entry.shape, tensor.name);
      assert.deepEqual(Buffer.from(tensor.data), Buffer.from(bytes(packed, tensor.name)), tensor.name);
      compared++;
    }
    const matrix = readNf4(packed, name, reader.tensors.get(name)!.shape as [number, number]);
    assert.deepEqual(matrix, packNf4From(reader, name, true));
  }
  assert.equal(compared, 12 * 4 + 2);
  packed.close();
  reader.close();
});

test('bitsandbytes: damaged parts are refused', (t) => {
  const directory = temporaryDirectory(t);
  const matrix = packNf4(
    Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i)),
    [64, 64],
    {
      doubleQuant: true,
      sourceDType: 'F32',
    },
  );
  const whole = nf4Tensors('w', matrix);
  const state = JSON.parse(Buffer.from(whole.at(-1)!.data).toString()) as Record<string, unknown>;
  const withState = (changes: Record<string, unknown> | string): TensorToWrite[] => {
    const text = typeof changes === 'string' ? changes : JSON.stringify({ ...state, ...changes });
    const data = Buffer.from(text);
    return [...whole.slice(0, -1), { ...whole.at(-1)!, data, shape: [data.length] }];
  };
  const swap = (suffix: string, dtype: StoredDType, count: number, data: Uint8Array): TensorToWrite[] =>
    whole.map((tensor) =>
      tensor.name === `w${suffix}` ? { ...tensor, dtype, shape: [count], data } : tensor,
    );
  const cases: TensorToWrite[][] = [
    withState('nonsense'),
    withState('null'),
    withState({ quant_type: 'fp4' }),
    withState({ blocksize: 0 }),
    withState({ blocksize: 1e9 }),
    withState({ shape: [64, 65] }),
    withState({ shape: 'x' }),
    withState({ dtype: 'int8' }),
    withState({ nested_blocksize: -1 }),
    withState({ nested_offset: null }),
    withState({ nested_dtype: 'float16' }),
    swap('.absmax', 'U8', 63, new Uint8Array(63)),
    swap('.nested_absmax', 'F32', 1, new Uint8Array(Float32Array.of(NaN).buffer)),
    swap('.quant_map', 'F32', 16, new Uint8Array(64)),
    whole.filter(({ name }) => name !== 'w.nested_absmax'),
  ];
  cases.forEach((tensors, i) => {
    const file = path.join(directory, `${i}.safetensors`);
    writeSafetensors(file, tensors);
    const reader = openSafetensors([file]);
    assert.throws(() => readPacked(reader, 'w', [64, 64]), hasFault, `case ${i}`);
    reader.close();
  });
  assert.equal(unpackNf4(matrix).length, 4096);
});
