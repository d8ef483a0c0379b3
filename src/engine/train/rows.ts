/** Dataset rows as the trainer uses them. */
import { Random } from '../random';

/** One sequence to train on: a record, or several packed into one. */
export interface TrainingRow {
  inputIds: Int32Array;
  /** -100 where a token is not trained; not shifted. */
  labels: Int32Array;
  /** 1-based dataset lines in it, one per segment. */
  lines: number[];
  /** Padding that stood before it in the dataset; see `EncodedSample`. */
  paddingBefore?: number;
  /** First token of each segment; `[0]` for a single record. */
  starts: number[];
}

/** Number of tokens whose loss is computed: labels after the first token of a segment. */
export function labelCount(row: TrainingRow): number {
  let count = 0;
  for (const label of row.labels) if (label !== -100) count++;
  return count - row.starts.filter((start) => row.labels[start] !== -100).length;
}

/**
 * Packs rows into sequences of at most `maxLength` tokens: first fit over the rows in a seeded random order, or in file order.
 * Segments keep their own positions and do not see each other.
 */
export function packRows(
  rows: readonly TrainingRow[],
  maxLength: number,
  seed: number | null,
): TrainingRow[] {
  const order = Array.from(rows.keys());
  if (seed !== null) new Random(seed, 0x7061636b).shuffle(order);
  const bins: { rows: TrainingRow[]; length: number }[] = [];
  for (const index of order) {
    const row = rows[index];
    let bin = bins.slice(-SEARCH).find(({ length }) => length + row.inputIds.length <= maxLength);
    if (!bin) {
      bin = { rows: [], length: 0 };
      bins.push(bin);
    }
    bin.rows.push(row);
    bin.length += row.inputIds.length;
  }
  return bins.map((bin) => joinRows(bin.rows, bin.length));
}

/** How many of the newest bins are looked at per row: keeps packing linear. */
const SEARCH = 64;

function joinRows(rows: readonly TrainingRow[], length: number): TrainingRow {
  const joined: TrainingRow = {
    inputIds: new Int32Array(length),
    labels: new Int32Array(length),
    lines: [],
    starts: [],
  };
  let offset = 0;
  for (const row of rows) {
    joined.inputIds.set(row.inputIds, offset);
    joined.labels.set(row.labels, offset);
    joined.lines.push(...row.lines);
    joined.starts.push(...row.starts.map((start) => start + offset));
    offset += row.inputIds.length;
  }
  return joined;
}
