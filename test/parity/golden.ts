/** Golden data of the reference implementations, copied from the shared fixtures. */
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { fixture, readJsonFixture } from '../unit/fixtures';

export interface ForwardCase {
  name: string;
  input_ids: number[][];
  /** Per row: 1 for real tokens, or (ChatGLM-6B) a string per query, "1" for each key that is hidden from it. */
  attention_mask?: (number[] | string[])[] | null;
  /** Per row, or (ChatGLM-6B) per row and stream. */
  position_ids?: (number[] | number[][])[] | null;
  labels: number[][] | null;
  logits: string;
  /** [row, column] of each row of `logits`. */
  logits_at: [number, number][];
  loss?: number | null;
  /** Input of each layer, and what the last one's output became. */
  hidden_states?: { tensor: string }[];
  hidden_states_note?: string;
  /** ChatGLM-6B: what the model makes itself where it is given none. */
  model_position_ids?: number[][][];
  model_attention_mask?: string[][];
}

/** Columns of a row that are not padding. */
export function realColumns(item: Pick<ForwardCase, 'input_ids' | 'attention_mask'>, row: number): number[] {
  const mask = item.attention_mask?.[row];
  return item.input_ids[row].flatMap((_, column) => {
    const entry = mask?.[column] ?? 1;
    const real = typeof entry === 'string' ? entry[column] === '0' : entry === 1;
    return real ? [column] : [];
  });
}

/** Reads `file.safetensors#tensor.name` beside a golden JSON file. */
export function readGolden(directory: string, reference: string): Float32Array {
  const [file, tensor] = reference.split('#');
  const reader = openSafetensors([fixture(`${directory}/${file}`)]);
  try {
    return reader.readFloat32(tensor);
  } finally {
    reader.close();
  }
}

export function readGoldenJson<T>(path: string): T {
  return readJsonFixture<T>(path);
}

/** log softmax of one row of logits, in double precision. */
export function logSoftmax(logits: Float32Array): Float64Array {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - max), 0);
  return Float64Array.from(logits, (logit) => logit - max - Math.log(sum));
}

export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return a.length === b.length ? most : Infinity;
}
