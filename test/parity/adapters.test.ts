/** DoRA, ranks by pattern, PiSSA: logits, losses and gradients against PEFT on the same small models. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { loraScale } from '../../src/checkpoint/lora';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { loadAdapter } from '../../src/engine/adapters/load';
import { viewParts } from '../../src/engine/adapters/flat';
import { readAdapterTensors, saveAdapter } from '../../src/engine/adapters/save';
import { backend } from '../../src/engine/backend/backend';
import { loadModel } from '../../src/engine/loadModel';
import { denseWeight, linear } from '../../src/engine/nn/linear';
import { drop } from '../../src/engine/nn/lora';
import { prefixKeyValues } from '../../src/engine/nn/prefix';
import { Random } from '../../src/engine/random';
import type { ResidentModel } from '../../src/engine/residentModel';
import { prepareMethod } from '../../src/engine/train/method';
import { pissaMatrices, sessionProducts } from '../../src/engine/train/pissa';
import { Probe } from '../../src/engine/train/probe';
import type { TrainingRow } from '../../src/engine/train/rows';
import { parseRunFile } from '../../src/protocol/run';
import { hostProducts } from '../unit/engine/hostProducts';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { maxDifference, readGolden, readGoldenJson } from './golden';
import { meanGradients, readMicroBatches, rowsOf } from './microBatches';

interface Reference {
  base: string;
  prompt: number[];
  logits: string;
  batch: { file: string; micro_batch: number };
  loss: number;
  grad_norm: number;
}

const LOGITS = 5e-5;
const LOSS = 5e-6;
const GRADIENT = 1e-5;
const NORM = 1e-4;

before(openTestEngine);

function row(inputIds: number[], labels: number[]): TrainingRow {
  return { inputIds: Int32Array.from(inputIds), labels: Int32Array.from(labels), lines: [1], starts: [0] };
}

/** The gradients of an adapter's tensors by their names in files. */
async function gradients(
  resident: ResidentModel,
  reference: Reference,
  gradientCheckpointing: boolean,
): Promise<Map<string, Float32Array>> {
  const { file, micro_batch: index } = reference.batch;
  const rows = rowsOf(readMicroBatches(file)[index]);
  const { trainables, loss, gradientNorm } = await meanGradients(resident, rows, gradientCheckpointing);
  assert.ok(Math.abs(loss - reference.loss) < LOSS, `loss ${loss}`);
  assert.ok(Math.abs(gradientNorm / reference.grad_norm - 1) < NORM, `norm ${gradientNorm}`);
  const found = new Map<string, Float32Array>();
  for (const [i, group] of resident.adapter!.groups.entries()) {
    const flat = await resident.store.read(trainables.groups[i].gradient);
    for (const [name, values] of viewParts(group, flat)) found.set(name, values);
  }
  return found;
}

for (const name of ['glm-hf-dora', 'glm4-0414-dora-rslora', 'glm-hf-patterns']) {
  test(`${name}: logits, loss and every gradient of an adapter that PEFT wrote`, async () => {
    const directory = `adapters-extra/${name}`;
    const reference = readGoldenJson<Reference>(`${directory}/reference.json`);
    const resident = await loadModel({
      directory: fixture(reference.base),
      dtype: 'float32',
      trainable: false,
    });
    await loadAdapter(resident, fixture(directory), { training: { lrRatio: 1, prefixDropout: 0 } });
    const logits = await new Probe(resident, row(reference.prompt, reference.prompt)).logits();
    const difference = maxDifference(logits, readGolden(directory, reference.logits));
    assert.ok(difference < LOGITS, `logits ${difference}`);
    for (const recompute of [false, true]) {
      const found = await gradients(resident, reference, recompute);
      assert.ok(found.size > 0);
      for (const [tensor, values] of found) {
        const wanted = readGolden(directory, `reference.safetensors#gradient.${tensor}`);
        const error = maxDifference(values, wanted);
        assert.ok(error < GRADIENT, `${tensor}: ${error}`);
      }
    }
    await resident.close();
  });
}

test("PiSSA takes the same components out of a weight as PEFT's singular value decomposition", async () => {
  const directory = 'adapters-extra/glm-hf-pissa';
  const { base, r, lora_alpha, components } = readGoldenJson<{
    base: string;
    r: number;
    lora_alpha: number;
    components: string;
  }>(`${directory}/reference.json`);
  const scale = loraScale({ r, lora_alpha, use_rslora: false });
  const reference = openSafetensors([fixture(`${directory}/${components}`)]);
  const weights = openSafetensors([fixture(`${base}/model.safetensors`)]);
  const resident = await loadModel({ directory: fixture(base), dtype: 'float32', trainable: false });
  for (const [name, { shape }] of reference.tensors) {
    const parameter = name.replace(/\.component$/, '.weight');
    const [rows, columns] = shape;
    const variable = resident.variables.get(parameter)!;
    const wanted = reference.readFloat32(name);
    for (const matrix of [
      hostProducts(weights.readFloat32(parameter), rows, columns),
      sessionProducts(resident.session, rows, columns, (graph) => graph.read(variable)),
    ]) {
      const { a, b } = await pissaMatrices(matrix, r, scale, new Random(42));
      const made = wanted.map((_, index) => {
        const [i, j] = [Math.floor(index / columns), index % columns];
        let sum = 0;
        for (let k = 0; k < r; k++) sum += b[i * r + k] * a[k * columns + j];
        return scale * sum;
      });
      const error = maxDifference(made, wanted);
      assert.ok(error < 1e-4, `${name}: ${error}`);
    }
  }
  reference.close();
  weights.close();
  await resident.close();
});

/** Weights of a small layer, the same each time. */
function numbers(length: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.normal());
}

test('DoRA with dropout: both terms see the dropped input, the base term of the layer does not', async () => {
  const [n, width, out, r, scale] = [3, 6, 5, 2, 1.5];
  const data = { x: numbers(n * width, 1), w: numbers(out * width, 2), a: numbers(r * width, 3) };
  const b = numbers(out * r, 4);
  const magnitude = numbers(out, 5).map(Math.abs);
  const session = backend().openSession();
  const program = session.compile((graph) => {
    const shapes = [[n, width], [out, width], [r, width], [out, r], [out]];
    const inputs = shapes.map((shape) => graph.placeholder(shape, 'float32'));
    const [x, w] = inputs;
    const seed = graph.constant(Int32Array.of(7, 8), [2], 'int32');
    const dropout = { rate: 0.5, seed };
    const weight = denseWeight(w);
    const lora = { a: inputs[2], b: inputs[3], magnitude: inputs[4], scale, dropout, initial: null };
    const outputs = [
      drop(graph, x, dropout),
      weight.multiply(graph, x),
      linear(graph, x, { weight, bias: null, lora }),
    ];
    return { inputs, outputs, effects: [] };
  });
  const feeds = [data.x, data.w, data.a, b, magnitude];
  const [dropped, product, result] = (await program.run(feeds)) as Float32Array[];
  assert.ok(dropped.includes(0) && dropped.some((value) => value !== 0));
  dropped.forEach((value, i) => assert.ok(value === 0 || value === 2 * data.x[i]));
  const delta = (i: number, c: number): number => {
    let sum = 0;
    for (let k = 0; k < r; k++) sum += scale * b[i * r + k] * data.a[k * width + c];
    return sum;
  };
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < out; i++) {
      let [square, base, added] = [0, 0, 0];
      for (let c = 0; c < width; c++) {
        square += (data.w[i * width + c] + delta(i, c)) ** 2;
        base += dropped[row * width + c] * data.w[i * width + c];
        added += dropped[row * width + c] * delta(i, c);
      }
      const factor = magnitude[i] / Math.sqrt(square);
      const expected = product[row * out + i] + (factor - 1) * base + factor * added;
      assert.ok(Math.abs(result[row * out + i] - expected) < 1e-5);
    }
  }
  await session.close();
});

test("a prefix's dropout differs from row to row and from layer to layer; without it all rows are alike", async () => {
  const [entries, layers, groups, headDim, batch] = [16, 2, 2, 4, 2];
  const table = numbers(entries * layers * 2 * groups * headDim, 9).map((value) => value + 10);
  const session = backend().openSession();
  const make = async (rate: number): Promise<Float32Array[]> => {
    const program = session.compile((graph) => {
      const embedding = graph.placeholder([entries, layers * 2 * groups * headDim], 'float32');
      const seed = graph.constant(Int32Array.of(3, 4), [2], 'int32');
      const dropout = rate > 0 ? { rate, seed } : null;
      const encoder = { embedding, projection: null };
      const options = { layers, groups, headDim, batch, dtype: 'float32' as const, dropout };
      const parts = prefixKeyValues(graph, encoder, options);
      const outputs = parts.flatMap(({ keys, values }) => [keys, values]);
      return { inputs: [embedding], outputs, effects: [] };
    });
    return (await program.run([table])) as Float32Array[];
  };
  const [plain, dropped] = [await make(0), await make(0.25)];
  const half = groups * entries * headDim;
  plain.forEach((tensor, index) => {
    assert.deepEqual(tensor.subarray(0, half), tensor.subarray(half));
    const [layer, isValue] = [Math.floor(index / 2), index % 2];
    tensor.subarray(0, half).forEach((value, i) => {
      const [group, entry, d] = [
        Math.floor(i / (entries * headDim)),
        Math.floor(i / headDim) % entries,
        i % headDim,
      ];
      const column = ((layer * 2 + isValue) * groups + group) * headDim + d;
      const scale = isValue ? 1 : headDim ** -0.25;
      const wanted = table[entry * layers * 2 * groups * headDim + column] * scale;
      assert.ok(Math.abs(value - wanted) < 1e-5);
    });
  });
  const holes = dropped.map((tensor, index) =>
    Array.from(tensor, (value, i) => {
      if (value !== 0) assert.ok(Math.abs(value - plain[index][i] / 0.75) < 1e-5);
      return value === 0;
    }),
  );
  const share = holes.flat().filter(Boolean).length / holes.flat().length;
  assert.ok(share > 0.2 && share < 0.3, `${share}`);
  assert.notDeepEqual(holes[0].slice(0, half), holes[0].slice(half));
  assert.notDeepEqual(holes[0], holes[2]);
  await session.close();
});

for (const dora of [false, true]) {
  test(`PiSSA${dora ? ' with DoRA' : ''}: the first step starts from the base; what is saved gives the trained logits`, async () => {
    const base = fixture('models/glm-hf');
    const { prompt } = readGoldenJson<Reference>('adapters-extra/glm-hf-dora/reference.json');
    const resident = await loadModel({ directory: base, dtype: 'float32', trainable: false });
    const probe = async (model: ResidentModel): Promise<Float32Array> =>
      new Probe(model, row(prompt, prompt)).logits();
    const before = await probe(resident);
    const parsed = parseRunFile({
      name: 'pissa',
      model: base,
      dataset: { train: 'unused.jsonl' },
      method: {
        type: 'lora',
        r: 4,
        target_modules: 'all-linear',
        init_lora_weights: 'pissa',
        use_dora: dora,
        use_rslora: true,
      },
    });
    assert.ok('run' in parsed);
    await prepareMethod(parsed.run, resident);
    const started = await probe(resident);
    assert.ok(maxDifference(started, before) < LOGITS);
    for (const { variable } of resident.adapter!.groups) {
      const values = await resident.store.read(variable);
      const noise = numbers(values.length, 12);
      await resident.store.write(
        variable,
        values.map((value, i) => value * (1 + 0.2 * noise[i])),
      );
    }
    const trained = await probe(resident);
    assert.ok(maxDifference(trained, before) > 0.1);
    const directory = mkdtempSync(path.join(os.tmpdir(), 'glmtune-pissa-'));
    const target = path.join(directory, 'adapter');
    saveAdapter(target, resident, resident.adapter!, await readAdapterTensors(resident, resident.adapter!));
    await resident.close();
    const fresh = await loadModel({ directory: base, dtype: 'float32', trainable: false });
    await loadAdapter(fresh, target);
    const saved = await probe(fresh);
    assert.ok(maxDifference(saved, trained) < LOGITS, `${maxDifference(saved, trained)}`);
    await fresh.close();
    rmSync(directory, { recursive: true });
  });
}
