import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipFactor, rowLosses, weightedLoss } from '../../../src/engine/train/losses';
import { causalPlaces } from '../../../src/engine/glm/model';
import { createMicroBatch } from '../../../src/engine/train/microBatch';
import { labelCount, packRows, type TrainingRow } from '../../../src/engine/train/rows';
import { RowStream } from '../../../src/engine/train/rowStream';

function row(line: number, ids: number[], trainedFrom = 1): TrainingRow {
  return {
    inputIds: Int32Array.from(ids),
    labels: Int32Array.from(ids, (id, t) => (t < trainedFrom ? -100 : id)),
    lines: [line],
    starts: [0],
  };
}

test('rows in file order cycle; a batch may reach into the next epoch', () => {
  const stream = new RowStream([5, 6, 7], { shuffle: false, groupByLength: false, seed: 1, batchSize: 2 });
  assert.deepEqual([stream.next(2), stream.next(2), stream.next(2)].flat(), [0, 1, 2, 0, 1, 2]);
  assert.equal(stream.epochs, 2);
});

test('shuffled rows: each once an epoch, another order each epoch, the same again when resumed', () => {
  const lengths = Array.from({ length: 30 }, (_, i) => i + 1);
  const options = { shuffle: true, groupByLength: false, seed: 9, batchSize: 4 };
  const stream = new RowStream(lengths, options);
  const first = stream.next(30);
  const second = stream.next(30);
  const all = Array.from(lengths.keys());
  assert.deepEqual(
    first.toSorted((a, b) => a - b),
    all,
  );
  assert.deepEqual(
    second.toSorted((a, b) => a - b),
    all,
  );
  assert.notDeepEqual(first, second);
  const resumed = new RowStream(lengths, options, 17);
  assert.deepEqual(resumed.next(20), [...first, ...second].slice(17, 37));
});

test('grouping by length puts similar lengths into one micro-batch and loses no row', () => {
  const lengths = Array.from({ length: 64 }, (_, i) => ((i * 37) % 64) + 1);
  const stream = new RowStream(lengths, { shuffle: true, groupByLength: true, seed: 3, batchSize: 4 });
  const order = stream.next(64);
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    Array.from(lengths.keys()),
  );
  for (let i = 0; i < 64; i += 4) {
    const batch = order.slice(i, i + 4).map((index) => lengths[index]);
    assert.ok(Math.max(...batch) - Math.min(...batch) <= 3);
  }
});

test('a micro-batch points each label at the state that predicts it', () => {
  const micro = createMicroBatch([row(4, [10, 11, 12], 2), row(7, [20, 21])], 3, 0.5, causalPlaces);
  assert.equal(micro.length, 16);
  assert.deepEqual([...micro.labelRows.subarray(0, 2)], [1, 16]);
  assert.deepEqual([...micro.labels.subarray(0, 2)], [12, 21]);
  assert.deepEqual([...micro.weights.subarray(0, 3)], [0.5, 0.5, 0]);
  assert.deepEqual([...micro.owners.subarray(0, 3)], [0, 1, -1]);
  assert.deepEqual([micro.tokens, micro.trained, micro.k], [5, 2, 16]);
  assert.equal(micro.segments, null);
  assert.equal(micro.keyOrder[16 + 5], 5);
});

test('packed rows keep positions, segments and lines of their own and lose only first labels', () => {
  const packed = packRows([row(1, [1, 2, 3]), row(2, [4, 5]), row(3, [6, 7, 8, 9])], 8, null);
  assert.deepEqual(
    packed.map(({ lines }) => lines),
    [[1, 2], [3]],
  );
  assert.deepEqual(packed[0].starts, [0, 3]);
  assert.equal(labelCount(packed[0]), 3);
  const micro = createMicroBatch(packed, 2, 1, causalPlaces);
  assert.deepEqual([...micro.streams[0].subarray(0, 5)], [0, 1, 2, 0, 1]);
  assert.deepEqual([...micro.segments!.subarray(0, 5)], [0, 0, 0, 1, 1]);
  assert.deepEqual([...micro.labels.subarray(0, micro.trained)], [2, 3, 5, 7, 8, 9]);
  assert.deepEqual(micro.lines, [1, 2, 3]);
});

test('packing leaves little room unused', () => {
  const rows = Array.from({ length: 2000 }, (_, i) =>
    row(i + 1, Array<number>(13 + ((i * 17) % 30)).fill(7)),
  );
  const tokens = rows.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
  const packed = packRows(rows, 128, 1);
  assert.ok(packed.length <= Math.ceil((tokens / 128) * 1.05), `${packed.length} packs of ${tokens} tokens`);
  assert.equal(packed.flatMap(({ lines }) => lines).length, rows.length);
});

test('losses per row and per step', () => {
  const micro = createMicroBatch([row(1, [1, 2, 3]), row(2, [4], 1)], 2, 0.5, causalPlaces);
  const losses = Float32Array.of(1, 3, ...new Float32Array(14).fill(99));
  assert.deepEqual(rowLosses(micro, losses), [2, null]);
  assert.equal(weightedLoss([micro], [losses]), 2);
});

test('clipping scales only what is too long', () => {
  assert.equal(clipFactor(0.5, 1), 1);
  assert.ok(Math.abs(clipFactor(4, 1) - 0.25) < 1e-6);
  assert.equal(clipFactor(4, 0), 1);
});
