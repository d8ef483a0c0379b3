/** Gradients of micro-batch 1 for every parameter of every family, against the reference. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { loadModel } from '../../src/engine/loadModel';
import type { ResidentModel } from '../../src/engine/residentModel';
import { fixture } from '../unit/fixtures';
import { ARCHITECTURES } from './architectures';
import { openTestEngine } from './engine';
import { maxDifference, readGolden, readGoldenJson } from './golden';
import { meanGradients, readMicroBatches, rowsOf } from './microBatches';

interface Gradients {
  loss: number;
  total_norm: number;
  full_tensors: string[];
  batch: { micro_batch: number };
  embedding: string;
  embedding_rows: number[];
  parameters: Record<string, { shape: number[]; norm: number; sum: number; max_abs: number }>;
}

const ABSOLUTE = 1e-5;
const RELATIVE = 1e-4;
const LOSS = 5e-6;

before(openTestEngine);

function checkGradient(name: string, values: Float32Array, golden: Gradients, directory: string): void {
  const wanted = golden.parameters[name];
  assert.ok(wanted, `${name} has no reference`);
  const within = Math.max(ABSOLUTE, RELATIVE * wanted.norm);
  const found = {
    norm: Math.hypot(...values),
    max_abs: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    sum: values.reduce((total, value) => total + value, 0),
  };
  // Errors of single elements add up in a sum, but as a random walk.
  const room = { norm: 1, max_abs: 1, sum: Math.sqrt(values.length) };
  for (const key of ['norm', 'max_abs', 'sum'] as const) {
    const difference = Math.abs(found[key] - wanted[key]);
    assert.ok(difference < within * room[key], `${name}: ${key} ${found[key]}, not ${wanted[key]}`);
  }
  if (golden.full_tensors.includes(name)) {
    const difference = maxDifference(values, readGolden(directory, `grads.safetensors#${name}`));
    assert.ok(difference < ABSOLUTE, `${name}: ${difference}`);
  }
  if (name === golden.embedding) {
    const [, hidden] = wanted.shape;
    const rows = golden.embedding_rows.flatMap((row) => [
      ...values.subarray(row * hidden, (row + 1) * hidden),
    ]);
    const difference = maxDifference(rows, readGolden(directory, 'grads.safetensors#embedding_rows'));
    assert.ok(difference < ABSOLUTE, `${name}: ${difference}`);
  }
}

async function checkGradients(
  resident: ResidentModel,
  architecture: string,
  gradientCheckpointing: boolean,
): Promise<void> {
  const directory = `golden/${architecture}`;
  const golden = readGoldenJson<Gradients>(`${directory}/grads.json`);
  const rows = rowsOf(readMicroBatches(`data/${architecture}/batches.json`)[golden.batch.micro_batch]);
  const { trainables, loss, gradientNorm } = await meanGradients(resident, rows, gradientCheckpointing);
  assert.ok(Math.abs(loss - golden.loss) < LOSS, `loss ${loss}`);
  assert.ok(Math.abs(gradientNorm / golden.total_norm - 1) < RELATIVE, `norm ${gradientNorm}`);
  assert.deepEqual(
    trainables.groups.map(({ variable }) => variable.name).sort(),
    Object.keys(golden.parameters).sort(),
  );
  for (const { variable, gradient } of trainables.groups)
    checkGradient(variable.name, await resident.store.read(gradient), golden, directory);
}

for (const architecture of ARCHITECTURES)
  test(`${architecture}: gradients of every parameter, kept and recomputed`, async () => {
    const directory = fixture(`models/${architecture}`);
    const resident = await loadModel({ directory, dtype: 'float32', trainable: true });
    await checkGradients(resident, architecture, false);
    await checkGradients(resident, architecture, true);
    await resident.close();
  });
