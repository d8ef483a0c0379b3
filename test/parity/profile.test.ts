/** A profile of a tiny model: its times add up to the step, its floating-point operations are those of the formula. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { readConfig } from '../../src/checkpoint/config';
import { structureOf } from '../../src/checkpoint/structure';
import type { ProfileCell, ProfileReport } from '../../src/engine';
import { profile } from '../../src/engine/profile/profile';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { runFile, temporary } from './trajectory';

const ARCHITECTURE = 'glm-hf';

before(openTestEngine);

async function profileOf(training: Record<string, unknown>, method: string): Promise<ProfileReport> {
  const run = runFile(ARCHITECTURE, temporary(), 1e-3, { method: { type: method } });
  const phases: string[] = [];
  const report = await profile({
    run: { ...run, training: { ...run.training, ...training } },
    steps: 3,
    progress: (phase) => phases.push(phase),
    stopRequested: () => false,
  });
  assert.deepEqual([...new Set(phases)], ['loading', 'steps', 'peaks']);
  assert.ok(report);
  return report;
}

/**
 * Every linear layer, the two products of attention, the rotation of queries and keys by a matrix, the output layer: three times
 * with derivatives, the rotation twice. What is computed again leaves out the last product of a block, which nothing reads.
 */
function fullFlops({ shapes }: ProfileReport, recompute: boolean): number {
  const structure = structureOf(readConfig(fixture(`models/${ARCHITECTURE}`)));
  const { linears, layers, heads, groups, headDim, hiddenSize, vocabSize } = structure;
  const sizeOf = (names: typeof linears): number =>
    names.reduce((sum, { inFeatures, outFeatures }) => sum + inFeatures * outFeatures, 0);
  const again = linears.filter(({ module }) => !module.endsWith('down_proj'));
  return shapes
    .map(({ batch, length, k }) => {
      const rows = batch * length;
      const attention = layers * 4 * rows * heads * length * headDim;
      const rotation = layers * 2 * rows * (heads + groups) * headDim ** 2;
      const once = 2 * rows * sizeOf(again) + attention + rotation;
      const step = 3 * 2 * rows * sizeOf(linears) + 3 * attention + 2 * rotation;
      return step + 3 * 2 * k * hiddenSize * vocabSize + (recompute ? once : 0);
    })
    .reduce((sum, flops) => sum + flops, 0);
}

function total(cells: readonly ProfileCell[], key: 'milliseconds' | 'flops' | 'bytes' | 'floor'): number {
  return cells.reduce((sum, cell) => sum + cell[key], 0);
}

test('full fine-tuning: operations equal the formula, times add up, memory is what the sizes say', async () => {
  const report = await profileOf({}, 'full');
  const { blocks, operations, dispatch, host, traced, step, memory, peaks, flops } = report;
  assert.equal(flops, fullFlops(report, false));
  assert.equal(report.shapes.length, 2);
  const busy = total(blocks, 'milliseconds');
  assert.ok(Math.abs(busy - total(operations, 'milliseconds')) < 1e-6 * busy);
  assert.ok(
    Math.abs(busy + dispatch + host - traced) < 0.02 * traced,
    `${busy} ${dispatch} ${host} ${traced}`,
  );
  assert.ok(step.least <= step.median && step.median <= step.most);
  assert.ok(peaks.flops.float32! > 1e8 && peaks.bandwidth > 1e8, JSON.stringify(peaks));
  const parameters = structureOf(readConfig(fixture(`models/${ARCHITECTURE}`))).tensors.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  assert.equal(memory.weights, 4 * parameters);
  assert.equal(memory.gradients, 4 * parameters);
  assert.equal(memory.optimizer, 8 * parameters);
  assert.ok(memory.kept > 0 && memory.kept <= memory.peak);
  const names = new Set(blocks.map(({ block }) => block));
  for (const block of [
    'embedding',
    'attention',
    'mlp',
    'norm',
    'residual',
    'output',
    'gradients',
    'optimiser',
  ])
    assert.ok(names.has(block), block);
  const layers = new Set(blocks.flatMap(({ layer }) => (layer === null ? [] : [layer])));
  assert.deepEqual(
    [...layers].sort(),
    Array.from({ length: report.layers }, (_, i) => i),
  );
});

test('gradient checkpointing: the blocks run once more, and it is named', async () => {
  const report = await profileOf({ gradient_checkpointing: true }, 'full');
  const again = report.blocks.filter(({ direction }) => direction === 'recompute');
  assert.equal(report.flops, fullFlops(report, true));
  assert.ok(again.some(({ block, layer, flops }) => block === 'mlp' && layer === 0 && flops > 0));
});

test('LoRA in bfloat16: the adapter is a block of its own', async () => {
  const report = await profileOf({ dtype: 'bfloat16' }, 'lora');
  const adapter = report.blocks.filter(({ block, layer }) => block === 'adapter' && layer !== null);
  assert.ok(adapter.some(({ direction }) => direction === 'backward'));
  assert.ok(total(adapter, 'flops') > 0 && total(adapter, 'floor') > 0);
});

test('a profile that is stopped gives nothing', async () => {
  const run = runFile(ARCHITECTURE, temporary(), 1e-3, { method: { type: 'lora' } });
  const stopped = await profile({ run, steps: 1, progress: () => undefined, stopRequested: () => true });
  assert.equal(stopped, null);
});
