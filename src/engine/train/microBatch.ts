/** Rows as the arrays a compiled step takes. */
import { bucketLength } from '../shapes';
import { labelCount, type TrainingRow } from './rows';

/** All arrays are row-major over [batch, length]; `k` entries describe the trained positions. */
export interface MicroBatch {
  rows: readonly TrainingRow[];
  batch: number;
  length: number;
  /** Compiled number of trained positions; entries beyond the real ones have weight 0. */
  k: number;
  ids: Int32Array;
  positions: Int32Array;
  /** Number of the segment each token belongs to; null where no row is packed. */
  segments: Int32Array | null;
  /** Flat index of the hidden state that predicts the label. */
  labelRows: Int32Array;
  labels: Int32Array;
  weights: Float32Array;
  /** For each entry, the index of its dataset line in `lines`; -1 for padding. */
  owners: Int32Array;
  lines: number[];
  /** Tokens that are not padding. */
  tokens: number;
  /** Trained tokens. */
  trained: number;
}

/** Pads `rows` to one shape of `batch` rows. Every trained token gets `weight`. */
export function createMicroBatch(rows: readonly TrainingRow[], batch: number, weight: number): MicroBatch {
  const length = bucketLength(Math.max(...rows.map((row) => row.inputIds.length)));
  const trained = rows.reduce((sum, row) => sum + labelCount(row), 0);
  const k = bucketCount(trained, batch * length);
  const micro: MicroBatch = {
    rows,
    batch,
    length,
    k,
    ids: new Int32Array(batch * length),
    positions: new Int32Array(batch * length),
    segments: rows.some((row) => row.starts.length > 1) ? new Int32Array(batch * length) : null,
    labelRows: new Int32Array(k),
    labels: new Int32Array(k),
    weights: new Float32Array(k),
    owners: new Int32Array(k).fill(-1),
    lines: rows.flatMap((row) => row.lines),
    tokens: rows.reduce((sum, row) => sum + row.inputIds.length, 0),
    trained,
  };
  for (let row = 0; row < batch; row++) fillPositions(micro, row, rows[row]?.starts ?? [0]);
  let entry = 0;
  let line = 0;
  rows.forEach((row, r) => {
    micro.ids.set(row.inputIds, r * length);
    row.starts.forEach((start, s) => {
      const end = row.starts[s + 1] ?? row.inputIds.length;
      for (let t = start + 1; t < end; t++) {
        if (row.labels[t] === -100) continue;
        micro.labelRows[entry] = r * length + t - 1;
        micro.labels[entry] = row.labels[t];
        micro.weights[entry] = weight;
        micro.owners[entry] = line;
        entry++;
      }
      line++;
    });
  });
  return micro;
}

/** Positions count from each segment's start; padding goes on counting in a segment of its own. */
function fillPositions(micro: MicroBatch, row: number, starts: readonly number[]): void {
  let segment = 0;
  for (let t = 0; t < micro.length; t++) {
    while (segment + 1 < starts.length && starts[segment + 1] <= t) segment++;
    micro.positions[row * micro.length + t] = t - starts[segment];
    if (micro.segments) micro.segments[row * micro.length + t] = segment;
  }
}

/** Few sizes for the trained positions: a sixteenth, an eighth, a quarter, a half or all of the tokens, and 16 at least. */
function bucketCount(count: number, tokens: number): number {
  for (const share of [16, 8, 4, 2])
    if (count <= Math.max(16, Math.ceil(tokens / share))) return Math.max(16, Math.ceil(tokens / share));
  return tokens;
}
