import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../src/checkpoint/config';
import { activationBytes, planMemory } from '../../../src/engine/train/memoryPlan';
import { adapterLayout } from '../../../src/engine/train/methodLayout';
import { chunks, MicroBatchSize } from '../../../src/engine/train/microBatchSize';
import { largestShape, memorySubject } from '../../../src/engine/train/runMemory';
import { GlmError } from '../../../src/protocol/errors';
import { parseRunFile } from '../../../src/protocol/run';
import { fixture } from '../fixtures';

const shape = { batch: 2, length: 64, k: 32 };

function subjectOf(settings: object) {
  const model = fixture('models/chatglm3');
  const parsed = parseRunFile({ name: 'plan', model, dataset: { train: 'x' }, ...settings });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const config = readConfig(model);
  return memorySubject(parsed.run, config, adapterLayout(parsed.run, config));
}

test('what is trained has a gradient in float32 and the state of its optimiser', () => {
  const full = planMemory(subjectOf({ method: { type: 'full' } }), shape, 1e9);
  assert.equal(full.gradients, full.weights);
  assert.equal(full.optimizer, 2 * full.weights);
  const lion = subjectOf({ method: { type: 'full' }, training: { optimizer: 'lion' } });
  assert.equal(planMemory(lion, shape, 1e9).optimizer, full.weights);
  const adafactor = subjectOf({ method: { type: 'full' }, training: { optimizer: 'adafactor' } });
  assert.ok(planMemory(adafactor, shape, 1e9).optimizer < full.weights / 10);
  const parts = full.weights + full.gradients + full.optimizer + full.activations + full.overhead;
  assert.deepEqual([full.total, full.available], [parts, 1e9]);
});

test('an adapter is small, and a packed or half-precision model smaller', () => {
  const wide = planMemory(subjectOf({ method: { type: 'lora', r: 4 } }), shape, 1e9);
  assert.ok(wide.gradients + wide.optimizer < wide.weights / 5);
  const half = planMemory(
    subjectOf({ method: { type: 'lora', r: 4 }, training: { dtype: 'bfloat16' } }),
    shape,
    1e9,
  );
  assert.ok(half.weights < 0.6 * wide.weights);
  const quantization = { type: 'nf4' };
  const packed = planMemory(subjectOf({ method: { type: 'lora', r: 4 }, quantization }), shape, 1e9);
  assert.ok(packed.weights < wide.weights);
});

test('activations grow with the micro-batch and shrink when blocks are recomputed', () => {
  const kept = subjectOf({ method: { type: 'lora' } });
  const long = { batch: 8, length: 256, k: 512 };
  assert.ok(activationBytes(kept, long) > 10 * activationBytes(kept, shape));
  const recomputed = subjectOf({ method: { type: 'lora' }, training: { gradient_checkpointing: true } });
  assert.ok(activationBytes(recomputed, long) < activationBytes(kept, long));
});

test('the largest micro-batch: the longest row, and the rows with the most labels', () => {
  const row = (length: number, masked: number) => ({
    inputIds: new Int32Array(length),
    labels: new Int32Array(length).fill(-100, 0, masked),
    lines: [1],
    starts: [0],
  });
  assert.deepEqual(largestShape([row(10, 1), row(100, 90), row(40, 1)], 2), { batch: 2, length: 128, k: 64 });
});

test('micro-batches are halved while memory runs out, and no other error is caught', async () => {
  const halved: number[] = [];
  const size = new MicroBatchSize(6, true, (rows) => halved.push(rows));
  const full = new GlmError('engine.outOfMemory', { detail: '' });
  const result = await size.fit((rows) => (rows > 2 ? Promise.reject(full) : Promise.resolve(rows)));
  assert.deepEqual([result, size.rows, halved], [2, 2, [3, 2]]);
  await assert.rejects(
    size.fit(() => Promise.reject(full)),
    full,
  );
  assert.equal(size.rows, 1);
  const fixed = new MicroBatchSize(6, false, () => assert.fail());
  await assert.rejects(
    fixed.fit(() => Promise.reject(full)),
    full,
  );
  const other = new Error('other');
  await assert.rejects(
    new MicroBatchSize(6, true, () => assert.fail()).fit(() => Promise.reject(other)),
    other,
  );
});

test('pieces keep the order and lose nothing', () => {
  assert.deepEqual(chunks([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(chunks([1], 4), [[1]]);
});
