import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayWidth } from '../../../src/cli/facts';
import { profileLines } from '../../../src/cli/profile/report';
import { alignColumns } from '../../../src/cli/profile/table';
import type { Direction, ProfileReport } from '../../../src/engine';
import { t } from './support';

function cell(milliseconds: number, flops = 0) {
  return { count: 2, milliseconds, flops, bytes: 4e6, floor: milliseconds / 2 };
}

function block(name: string, layer: number | null, direction: Direction, milliseconds: number) {
  return { block: name, layer, direction, ...cell(milliseconds) };
}

const REPORT: ProfileReport = {
  device: 'CPU',
  dtype: 'bfloat16',
  threads: 2,
  peaks: { flops: { float32: 90e9, bfloat16: 40e9 }, bandwidth: 12e9 },
  shapes: [{ batch: 4, length: 256, k: 512 }],
  tokens: 1000,
  layers: 2,
  step: { median: 100, least: 95, most: 120 },
  traced: 104,
  blocks: [
    block('embedding', null, 'forward', 1),
    block('attention', 0, 'forward', 10),
    block('attention', 0, 'backward', 20),
    block('attention', 1, 'forward', 12),
    block('optimiser', null, 'update', 3),
  ],
  operations: [
    { operation: 'MatMul', direction: 'forward', ...cell(40, 2e9) },
    ...Array.from({ length: 16 }, (_, i) => ({
      operation: `Op${i}`,
      direction: 'backward' as const,
      ...cell(1),
    })),
  ],
  host: 2,
  dispatch: 6,
  flops: 4.5e9,
  productFloor: 50,
  memory: {
    plan: {
      weights: 1e9,
      gradients: 1e6,
      optimizer: 2e6,
      activations: 3e8,
      overhead: 5e8,
      total: 2e9,
      available: 8e9,
    },
    weights: 1e9,
    gradients: 1e6,
    optimizer: 2e6,
    kept: 2e8,
    peak: 2.5e8,
    peakBlocks: [
      { block: 'mlp', bytes: 2e8 },
      { block: 'embedding', bytes: 1e3 },
    ],
    process: 1.8e9,
  },
};

test('the step, its blocks summed over layers, its operations, its memory', () => {
  const lines = profileLines(t, REPORT, false);
  assert.ok(lines.includes('A step: 100 ms (95.0 to 120), 10000 tokens/s; traced 104 ms'), lines.join('\n'));
  assert.ok(lines.includes('Matrix products: 4.5 GFLOP, 50.0 ms at best, 50 % of the step'));
  const row = (name: string): string[] =>
    lines
      .find((line) => line.startsWith(name))!
      .trim()
      .split(/\s{2,}/);
  assert.deepEqual(row('attention'), ['attention', '22.0', '20.0', '40.4 %', '21.0', '50 %']);
  assert.deepEqual(row('dispatch'), ['dispatch', '5.8 %']);
  assert.deepEqual(row('MatMul'), [
    'MatMul',
    'forward',
    '2',
    '40.0',
    '38.5 %',
    '20.0',
    '50 %',
    '50.0',
    '0.1',
  ]);
  assert.deepEqual(row('2 others').slice(0, 3), ['2 others', '4', '2.00']);
  assert.deepEqual(row('values of the pass, at most'), [
    'values of the pass, at most',
    '250.0 MB',
    '300.0 MB',
  ]);
  assert.ok(lines.some((line) => line.startsWith('  of MLP')));
  assert.ok(!lines.some((line) => line.startsWith('  of embedding')));
});

test('every layer by itself', () => {
  const lines = profileLines(t, REPORT, true);
  assert.ok(
    lines.some((line) => /^layer 0 attention +10\.0 +20\.0/.test(line)),
    lines.join('\n'),
  );
  assert.ok(lines.some((line) => /^layer 1 attention +12\.0/.test(line)));
  assert.ok(!lines.some((line) => line.startsWith('attention')));
});

test('columns are aligned by what a terminal shows, Chinese characters too', () => {
  const lines = alignColumns([
    ['词嵌入', '1.00'],
    ['MLP', '12.50'],
  ]);
  assert.deepEqual(lines.map(displayWidth), [13, 13]);
});
