/** Packed weights unpacked in a function: against the reference's dequantised matrices, and as part of a product. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { readConfig } from '../../src/checkpoint/config';
import { openWeights } from '../../src/checkpoint/checkpoint';
import { roundTo, type FloatDType } from '../../src/checkpoint/narrow';
import { packNf4, packNf4From, unpackNf4 } from '../../src/checkpoint/packed/nf4';
import { readPacked } from '../../src/checkpoint/packed/stored';
import { packIntegers, unpackIntegers } from '../../src/checkpoint/packed/thudm';
import type { PackedMatrix } from '../../src/checkpoint/packed/types';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { structureOf } from '../../src/checkpoint/structure';
import { backend } from '../../src/engine/backend/backend';
import type { Session } from '../../src/engine/backend/session';
import { Tape } from '../../src/engine/backend/tape';
import { packedWeight } from '../../src/engine/nn/packed';
import {
  columnPieces,
  packedVariables,
  rowPieces,
  type PackedLayout,
} from '../../src/engine/nn/packedLayout';
import type { ComputeDType } from '../../src/engine/types';
import { fixture, readJsonFixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { maxDifference } from './golden';

before(openTestEngine);

async function store(
  session: Session,
  name: string,
  matrix: PackedMatrix,
  pieceSize?: number,
): Promise<PackedLayout> {
  const { layout, data } = packedVariables(name, matrix, pieceSize);
  const program = session.compile((graph) => {
    const inputs = data.map(({ variable }) => graph.placeholder(variable.shape, variable.dtype));
    const effects = data.map(({ variable }, i) => graph.assign(variable, inputs[i]));
    return { inputs, outputs: [], effects };
  });
  await program.run(data.map((part) => part.data));
  return layout;
}

async function unpacked(session: Session, layout: PackedLayout, dtype: ComputeDType): Promise<Float32Array> {
  const program = session.compile((graph) => {
    const weight = packedWeight(layout, (variable) => graph.read(variable), dtype);
    return { inputs: [], outputs: [graph.cast(weight.dense(graph), 'float32')], effects: [] };
  });
  return (await program.run([]))[0] as Float32Array;
}

const ROUNDED: Record<ComputeDType, FloatDType> = { float32: 'F32', bfloat16: 'BF16', float16: 'F16' };

/** Unpacks a matrix in every compute dtype and compares it with values that are known to be right. */
async function check(
  session: Session,
  name: string,
  matrix: PackedMatrix,
  right: Float32Array,
): Promise<void> {
  const layout = await store(session, name, matrix);
  for (const dtype of ['float32', 'bfloat16', 'float16'] as const)
    assert.deepEqual(
      await unpacked(session, layout, dtype),
      roundTo(right, ROUNDED[dtype]),
      `${name} ${dtype}`,
    );
}

test('NF4: every stand-alone matrix, bit by bit', async () => {
  const session = backend().openSession();
  const reader = openSafetensors([fixture('quant/nf4/vectors.safetensors')]);
  const { cases } = readJsonFixture<{ cases: { name: string; nested: boolean }[] }>('quant/nf4/vectors.json');
  for (const { name, nested } of cases) {
    const matrix = packNf4From(reader, `${name.replace(/-(double|single)$/, '')}.source`, nested);
    const golden = `${name}.dequantized`;
    const right = reader.tensors.has(golden) ? reader.readFloat32(golden) : unpackNf4(matrix);
    await check(session, name, matrix, right);
  }
  reader.close();
  await session.close();
});

for (const model of ['chatglm-v1', 'chatglm2', 'chatglm3', 'glm4-9b', 'glm-hf', 'glm4-0414'])
  test(`NF4: weights of ${model}`, async () => {
    const session = backend().openSession();
    const reader = openWeights(fixture(`models/${model}`));
    const golden = openSafetensors([fixture(`quant/nf4/${model}/dequantized.safetensors`)]);
    assert.ok(golden.tensors.size > 0);
    for (const name of golden.tensors.keys())
      await check(session, name, packNf4From(reader, name, true), golden.readFloat32(name));
    reader.close();
    golden.close();
    await session.close();
  });

test("THUDM's integers: small matrices and the reference's example of every model", async () => {
  const session = backend().openSession();
  const matrices = openSafetensors([fixture('quant/thudm/matrices.safetensors')]);
  for (const rule of ['chatglm', 'chatglm2'] as const)
    for (const bits of [4, 8] as const)
      for (const source of ['f32', 'f16']) {
        const name = `${source}-${rule === 'chatglm' ? 'v1' : 'v2'}-int${bits}`;
        const sourceDType = source === 'f16' ? 'F16' : 'F32';
        const values = matrices.readFloat32(`${name}.source`);
        const matrix = packIntegers(values, [6, 10], { bits, rule, sourceDType });
        await check(session, name, matrix, matrices.readFloat32(`${name}.dequantized`));
      }
  matrices.close();
  for (const name of [
    'chatglm-v1-int4',
    'chatglm-v1-int8',
    'chatglm2-int4',
    'chatglm2-int8',
    'chatglm3-int4',
  ]) {
    const golden = openSafetensors([fixture(`quant/thudm/${name}.safetensors`)]);
    const model = fixture(`models/${name.replace(/-int[48]$/, '-fp16')}`);
    const codes = name === 'chatglm2-int4' ? openWeights(fixture('models/chatglm2-int4')) : golden;
    for (const { module, inFeatures, outFeatures } of structureOf(readConfig(model)).linears) {
      const example = `dequantized.${module}.weight`;
      if (!golden.tensors.has(example)) continue;
      const matrix = readPacked(codes, `${module}.weight`, [outFeatures, inFeatures]);
      assert.ok(matrix);
      await check(session, `${name} ${module}`, matrix, golden.readFloat32(example));
    }
    golden.close();
    if (codes !== golden) codes.close();
  }
  await session.close();
});

/** Rows of 128 are whole blocks of NF4; those of 40 are not, so that such a matrix is never taken apart. */
for (const [columns, whole, pieces] of [
  [128, [1, 1], [3, 2]],
  [40, [1, 1], [1, 1]],
] as const)
  test(`a product with a packed weight of ${columns} columns, and its gradient, equal those with the unpacked one`, async () => {
    const session = backend().openSession();
    const [rows, n] = [24, 7];
    const random = (count: number, seed: number): Float32Array =>
      Float32Array.from({ length: count }, (_, i) => Math.sin((i + seed) * 12.9898) * 0.7);
    const values = random(rows * columns, 3);
    const shape = [rows, columns] as const;
    const matrices: [PackedMatrix, Float32Array][] = [true, false].map((doubleQuant) => {
      const matrix = packNf4(values, shape, { doubleQuant, sourceDType: 'BF16' });
      return [matrix, unpackNf4(matrix)];
    });
    for (const bits of [4, 8] as const) {
      const matrix = packIntegers(values, shape, { bits, sourceDType: 'F16', rule: 'chatglm2' });
      matrices.push([matrix, unpackIntegers(matrix)]);
    }
    for (const [i, [matrix, dense]] of [...matrices, ...matrices].entries()) {
      // The second time round, eight rows at a time, or as many columns as those are weights.
      const inPieces = i >= matrices.length;
      const layout = await store(session, `w${i}`, matrix, inPieces ? 8 * columns : undefined);
      if (matrix.kind === 'nf4')
        assert.deepEqual([rowPieces(layout).length, columnPieces(layout).length], inPieces ? pieces : whole);
      const program = session.compile((graph) => {
        const x = graph.placeholder([n, columns], 'float32');
        const w = graph.placeholder(shape, 'float32');
        const outputs = [true, false].flatMap((packed) => {
          const tape = new Tape(graph);
          tape.watch(x);
          const hidden = tape.tanh(x);
          const weight = packedWeight(layout, (variable) => graph.read(variable), 'float32');
          const y = packed ? weight.multiply(tape, hidden) : tape.matMul(hidden, w, { transposeB: true });
          const gradients = tape.gradients(tape.sum(tape.square(y), [0, 1]));
          return [y, gradients.get(x)!];
        });
        return { inputs: [x, w], outputs, effects: [] };
      });
      const [y, dx, denseY, denseDx] = await program.run([random(n * columns, 11), dense]);
      // In pieces the sums are taken in another order.
      for (const [found, right] of [
        [y, denseY],
        [dx, denseDx],
      ]) {
        const most = Math.max(...Array.from(right, Math.abs));
        assert.ok(maxDifference(found, right) <= (inPieces ? 1e-6 * most : 0));
      }
      assert.ok(dx.some((value) => Math.abs(value) > 1e-2));
    }
    await session.close();
  });

test('pieces of wide matrices: even, whole blocks, of bounded size, every weight once', () => {
  const limit = 6 * 2 ** 20;
  for (const [rows, columns] of [
    [12288, 2048],
    [2048, 6144],
    [27392, 4096],
    [4096, 13696],
    [1000, 64],
  ] as const) {
    const absmax = { kind: 'plain', values: new Float32Array((rows * columns) / 64) } as const;
    const matrix = {
      kind: 'nf4',
      shape: [rows, columns],
      blockSize: 64,
      absmax,
      sourceDType: 'BF16',
    } as const;
    const { layout } = packedVariables('w', { ...matrix, codes: new Uint8Array((rows * columns) / 2) });
    for (const pieces of [rowPieces(layout), columnPieces(layout)]) {
      const weights = pieces.map((piece) => piece.rows.count * piece.columns.count);
      assert.equal(
        weights.reduce((sum, count) => sum + count, 0),
        rows * columns,
      );
      assert.ok(Math.max(...weights) <= limit);
      assert.ok(new Set(weights).size <= 2);
      for (const piece of pieces) assert.equal(piece.columns.start % 64, 0);
    }
  }
});
