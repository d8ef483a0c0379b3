/** DoRA, ranks by pattern, PiSSA: logits, losses and gradients against PEFT on the same small models. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { loraScale } from '../../src/checkpoint/lora';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { loadAdapter } from '../../src/engine/adapters/load';
import { viewParts } from '../../src/engine/adapters/flat';
import { loadModel } from '../../src/engine/loadModel';
import { Random } from '../../src/engine/random';
import type { ResidentModel } from '../../src/engine/residentModel';
import { placesOf } from '../../src/engine/sequence';
import { createMicroBatch } from '../../src/engine/train/microBatch';
import { adamw } from '../../src/engine/train/optimisers/adamw';
import { hostProducts, pissaMatrices, sessionProducts } from '../../src/engine/train/pissa';
import { Probe } from '../../src/engine/train/probe';
import type { TrainingRow } from '../../src/engine/train/rows';
import { TrainingStep } from '../../src/engine/train/step';
import { trainablesOf } from '../../src/engine/train/trainables';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { maxDifference, readGolden, readGoldenJson, realColumns } from './golden';

interface Reference {
  base: string;
  prompt: number[];
  logits: string;
  batch: { file: string; micro_batch: number };
  loss: number;
  grad_norm: number;
}

interface Batches {
  micro_batches: { input_ids: number[][]; labels: number[][]; attention_mask?: number[][] }[];
}

const LOGITS = 5e-5;
const LOSS = 5e-6;
const GRADIENT = 1e-5;
const NORM = 1e-4;

before(openTestEngine);

function row(inputIds: number[], labels: number[]): TrainingRow {
  return { inputIds: Int32Array.from(inputIds), labels: Int32Array.from(labels), lines: [1], starts: [0] };
}

function readRows({ file, micro_batch }: Reference['batch']): TrainingRow[] {
  const batch = readGoldenJson<Batches>(file).micro_batches[micro_batch];
  return batch.input_ids.map((ids, i) => {
    const kept = realColumns(batch, i);
    return row(
      kept.map((t) => ids[t]),
      kept.map((t) => batch.labels[i][t]),
    );
  });
}

/** The gradients of an adapter's tensors by their names in files. */
async function gradients(
  resident: ResidentModel,
  reference: Reference,
  gradientCheckpointing: boolean,
): Promise<Map<string, Float32Array>> {
  const trainables = trainablesOf(resident, adamw);
  const options = { gradientCheckpointing, drops: false, noiseAlpha: 0, labelSmoothing: 0, decayAll: true };
  const step = new TrainingStep(resident, trainables, options);
  const rows = readRows(reference.batch);
  const micro = (weight: number) =>
    createMicroBatch(rows, rows.length, weight, (ids) => placesOf(resident, ids));
  const { trained } = micro(1);
  const { tokenLosses, gradientNorm } = await step.accumulate(micro(1 / trained), {
    first: true,
    seed: 0,
    lossScale: 1,
  });
  const loss = tokenLosses.subarray(0, trained).reduce((sum, value) => sum + value, 0) / trained;
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
