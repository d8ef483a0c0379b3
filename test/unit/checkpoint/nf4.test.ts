/** NF4 against bitsandbytes' own codes, scales and dequantised values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absmaxValues } from '../../../src/checkpoint/packed/absmax';
import { packNf4, packNf4From, unpackNf4 } from '../../../src/checkpoint/packed/nf4';
import { DYNAMIC_LEVELS, NF4_LEVELS } from '../../../src/checkpoint/packed/tables';
import type { FloatDType } from '../../../src/checkpoint/narrow';
import { openSafetensors } from '../../../src/checkpoint/safetensors';
import type { TensorReader } from '../../../src/checkpoint/types';
import { openWeights } from '../../../src/checkpoint/checkpoint';
import { fixture, readJsonFixture } from '../fixtures';

interface VectorCase {
  name: string;
  shape: [number, number];
  dtype: string;
  nested: boolean;
  nested_offset: number | null;
  dequantized_sum: number;
  dequantized_l2: number;
}

interface WeightSummary {
  shape: [number, number];
  blocks: number;
  nested_blocks: number;
  nested_offset: number;
  absmax_first: number[];
  dequantized_sum: number;
  dequantized_l2: number;
  dequantized_first: number[];
  max_error: number;
}

const NF4_MODELS = ['chatglm-v1', 'chatglm2', 'chatglm3', 'glm4-9b', 'glm-hf', 'glm4-0414'];

const DTYPES: Record<string, FloatDType> = {
  'torch.float32': 'F32',
  'torch.float16': 'F16',
  'torch.bfloat16': 'BF16',
};

function bytes(reader: TensorReader, name: string): Uint8Array {
  const target = new Uint8Array(reader.tensors.get(name)!.byteLength);
  reader.readInto(name, target);
  return target;
}

function near(actual: number, expected: number, relative: number): void {
  assert.ok(
    Math.abs(actual - expected) <= relative * Math.max(1, Math.abs(expected)),
    `${actual} / ${expected}`,
  );
}

function checkSums(values: Float32Array, sum: number, norm: number): void {
  near(
    values.reduce((total, value) => total + value, 0),
    sum,
    1e-6,
  );
  near(Math.sqrt(values.reduce((total, value) => total + value * value, 0)), norm, 1e-6);
}

test('the tables are those of the reference', () => {
  const reader = openSafetensors([fixture('quant/nf4/vectors.safetensors')]);
  assert.deepEqual(NF4_LEVELS, reader.readFloat32('nf4_table'));
  assert.deepEqual(DYNAMIC_LEVELS, reader.readFloat32('dynamic_map_8bit'));
  reader.close();
});

test('stand-alone matrices: odd sizes, many blocks, zero blocks, half-precision sources', () => {
  const reader = openSafetensors([fixture('quant/nf4/vectors.safetensors')]);
  const { cases } = readJsonFixture<{ cases: VectorCase[] }>('quant/nf4/vectors.json');
  for (const { name, shape, dtype, nested, nested_offset, dequantized_sum, dequantized_l2 } of cases) {
    const source = `${name.replace(/-(double|single)$/, '')}.source`;
    const sourceDType = DTYPES[dtype];
    const packed = packNf4(reader.readFloat32(source), shape, { doubleQuant: nested, sourceDType });
    assert.deepEqual(packed.codes, bytes(reader, `${name}.packed`), name);
    assert.deepEqual(packNf4From(reader, source, nested), packed, name);
    const { absmax } = packed;
    assert.equal(absmax.kind, nested ? 'nested' : 'plain');
    if (absmax.kind === 'plain') assert.deepEqual(absmax.values, reader.readFloat32(`${name}.absmax`), name);
    else {
      assert.deepEqual(absmax.codes, bytes(reader, `${name}.absmax`), name);
      assert.deepEqual(absmax.scales, reader.readFloat32(`${name}.nested_absmax`), name);
      near(absmax.offset, nested_offset!, 1e-7);
    }
    const values = unpackNf4(packed);
    checkSums(values, dequantized_sum, dequantized_l2);
    if (reader.tensors.has(`${name}.dequantized`))
      assert.deepEqual(values, reader.readFloat32(`${name}.dequantized`), name);
  }
  reader.close();
});

for (const model of NF4_MODELS)
  test(`${model}: every weight that is quantised`, () => {
    const reader = openWeights(fixture(`models/${model}`));
    const packed = openSafetensors([fixture(`quant/nf4/${model}/packed.safetensors`)]);
    const dequantized = openSafetensors([fixture(`quant/nf4/${model}/dequantized.safetensors`)]);
    const { weights } = readJsonFixture<{ weights: Record<string, WeightSummary> }>(
      `quant/nf4/${model}/nf4.json`,
    );
    for (const [name, expected] of Object.entries(weights)) {
      const matrix = packNf4From(reader, name, true);
      assert.deepEqual(matrix.shape, expected.shape);
      assert.deepEqual(matrix.codes, bytes(packed, name), name);
      const { absmax } = matrix;
      assert.ok(absmax.kind === 'nested');
      assert.deepEqual(absmax.codes, bytes(packed, `${name}.absmax`), name);
      assert.deepEqual(absmax.scales, packed.readFloat32(`${name}.nested_absmax`), name);
      const state = JSON.parse(
        Buffer.from(bytes(packed, `${name}.quant_state.bitsandbytes__nf4`)).toString('utf8'),
      ) as { nested_offset: number };
      assert.equal(absmax.offset, state.nested_offset, name);
      assert.equal(absmax.codes.length, expected.blocks);
      expected.absmax_first.forEach((value, i) => near(absmaxValues(absmax)[i], value, 1e-7));
      const values = unpackNf4(matrix);
      expected.dequantized_first.forEach((value, i) => near(values[i], value, 1e-7));
      checkSums(values, expected.dequantized_sum, expected.dequantized_l2);
      if (dequantized.tensors.has(name)) assert.deepEqual(values, dequantized.readFloat32(name), name);
    }
    for (const open of [reader, packed, dequantized]) open.close();
  });
