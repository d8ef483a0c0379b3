/** Gradients of micro-batch 1 for every parameter, against the reference. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createMicroBatch } from '../../src/engine/train/microBatch';
import { TrainingStep } from '../../src/engine/train/step';
import { trainablesOf } from '../../src/engine/train/trainables';
import type { TrainingRow } from '../../src/engine/train/rows';
import { loadModel } from '../../src/engine/loadModel';
import { placesOf } from '../../src/engine/sequence';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { maxDifference, readGolden, readGoldenJson } from './golden';

interface Gradients {
  loss: number;
  total_norm: number;
  full_tensors: string[];
  batch: { micro_batch: number };
  embedding: string;
  embedding_rows: number[];
  parameters: Record<string, { norm: number; sum: number; max_abs: number }>;
}

interface Batches {
  micro_batches: { input_ids: number[][]; labels: number[][]; attention_mask?: number[][] }[];
}

const ABSOLUTE = 1e-5;
const RELATIVE = 1e-4;

before(openTestEngine);

for (const architecture of ['chatglm2', 'chatglm3'])
  test(`${architecture}: gradients of every parameter`, async () => {
    const golden = readGoldenJson<Gradients>(`golden/${architecture}/grads.json`);
    const { micro_batches } = readGoldenJson<Batches>(`data/${architecture}/batches.json`);
    const { input_ids, labels, attention_mask } = micro_batches[golden.batch.micro_batch];
    const rows = input_ids.map((ids, i): TrainingRow => {
      const kept = ids.flatMap((_, t) => ((attention_mask?.[i][t] ?? 1) === 1 ? [t] : []));
      return {
        inputIds: Int32Array.from(kept, (t) => ids[t]),
        labels: Int32Array.from(kept, (t) => labels[i][t]),
        lines: [i + 1],
        starts: [0],
      };
    });
    const directory = fixture(`models/${architecture}`);
    const resident = await loadModel({ directory, dtype: 'float32', trainable: true });
    const trainables = trainablesOf(resident);
    const step = new TrainingStep(resident, trainables, {
      gradientCheckpointing: false,
      drops: false,
      decayAll: true,
    });
    const micro = (weight: number) =>
      createMicroBatch(rows, rows.length, weight, (ids) => placesOf(resident, ids));
    const { gradientNorm } = await step.accumulate(micro(1 / micro(1).trained), true, 0);
    assert.ok(Math.abs(gradientNorm / golden.total_norm - 1) < RELATIVE, `norm ${gradientNorm}`);
    for (const { variable, gradient } of trainables.groups) {
      const values = await resident.store.read(gradient);
      const wanted = golden.parameters[variable.name];
      const norm = Math.hypot(...values);
      const within = Math.max(ABSOLUTE, RELATIVE * wanted.norm);
      assert.ok(Math.abs(norm - wanted.norm) < within, `${variable.name}: norm ${norm}, not ${wanted.norm}`);
      if (golden.full_tensors.includes(variable.name)) {
        const full = readGolden(`golden/${architecture}`, `grads.safetensors#${variable.name}`);
        const difference = maxDifference(values, full);
        assert.ok(difference < ABSOLUTE, `${variable.name}: ${difference}`);
      }
    }
    await resident.close();
  });
