/** Rows as the arrays a compiled step takes. */
import type { Places } from '../glm/model';
import type { SequenceArrays } from '../sequence';
import { bucketLength } from '../shapes';
import { labelCount, type TrainingRow } from './rows';

/** Positions and visibility of a record's tokens. */
export type PlacesOf = (ids: Int32Array, paddingBefore: number) => Places;

/** `k` entries describe the trained positions. */
export interface MicroBatch extends SequenceArrays {
  rows: readonly TrainingRow[];
  /** Compiled number of trained positions; entries beyond the real ones have weight 0. */
  k: number;
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
export function createMicroBatch(
  rows: readonly TrainingRow[],
  batch: number,
  weight: number,
  placesOf: PlacesOf,
): MicroBatch {
  const length = bucketLength(Math.max(...rows.map((row) => row.inputIds.length)));
  const trained = rows.reduce((sum, row) => sum + labelCount(row), 0);
  const k = bucketCount(trained, batch * length);
  const micro: MicroBatch = {
    rows,
    ...placeRows(rows, batch, length, placesOf),
    k,
    labelRows: new Int32Array(k),
    labels: new Int32Array(k),
    weights: new Float32Array(k),
    owners: new Int32Array(k).fill(-1),
    lines: rows.flatMap((row) => row.lines),
    tokens: rows.reduce((sum, row) => sum + row.inputIds.length, 0),
    trained,
  };
  let entry = 0;
  let line = 0;
  rows.forEach((row, r) => {
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

/** Ids, positions and visibility; padding stands behind the tokens, where none of them sees it. */
function placeRows(
  rows: readonly TrainingRow[],
  batch: number,
  length: number,
  placesOf: PlacesOf,
): SequenceArrays {
  const size = batch * length;
  const index = Int32Array.from({ length: size }, (_, i) => i % length);
  const arrays: SequenceArrays = {
    batch,
    length,
    ids: new Int32Array(size),
    streams: [],
    keyOrder: index,
    segments: rows.some((row) => row.starts.length > 1) ? new Int32Array(size) : null,
  };
  rows.forEach((row, r) => {
    arrays.ids.set(row.inputIds, r * length);
    row.starts.forEach((start, segment) => {
      const end = row.starts[segment + 1] ?? row.inputIds.length;
      const { streams, keyOrder } = placesOf(row.inputIds.subarray(start, end), row.paddingBefore ?? 0);
      const at = r * length + start;
      streams.forEach((stream, s) => {
        arrays.streams[s] ??= new Int32Array(size);
        arrays.streams[s].set(stream, at);
      });
      arrays.keyOrder.set(
        keyOrder.map((order) => order + start),
        at,
      );
      // Padding belongs to the last segment.
      arrays.segments?.fill(segment, at, (r + 1) * length);
    });
  });
  return arrays;
}

/** Few sizes for the trained positions: a sixteenth, an eighth, a quarter, a half or all of the tokens, and 16 at least. */
export function bucketCount(count: number, tokens: number): number {
  for (const share of [16, 8, 4, 2])
    if (count <= Math.max(16, Math.ceil(tokens / share))) return Math.max(16, Math.ceil(tokens / share));
  return tokens;
}
