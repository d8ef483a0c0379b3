/** Reads and encodes the datasets of a run. */
import { setImmediate } from 'node:timers/promises';
import { readRecords } from '../../dataset';
import type { TrainingRecord } from '../../dataset/types';
import { GlmError, isGlmError } from '../../protocol/errors';
import type { RunFile } from '../../protocol/run';
import { encodeTokens } from '../../tokenizer/templates/plainRecords';
import { loadTokenizer } from '../../tokenizer/load';
import type { DropReason, EncodedSample, TokenizerBundle } from '../../tokenizer/types';
import { LoadCancelled } from '../loadModel';
import { Random } from '../random';
import type { ResidentModel } from '../residentModel';
import type { TrainingRow } from './rows';

export interface DatasetRows {
  rows: TrainingRow[];
  /** Records that cannot be trained on; `tooLong` of them because their question leaves no room for an answer. */
  dropped: number;
  tooLong: number;
  /** Rows that lost tokens to fit. */
  truncated: number;
  /** Those that the checkpoint's chat template refused: how many, the first one's line, and why. */
  refused: { count: number; line: number; error: GlmError } | null;
  /** Records that are sound but give no row: how many, the first one's line, and why. */
  left: { count: number; line: number; reason: DropReason } | null;
  /** Answers that ask to be trained but are only context in their rows (`EncodedSample.contextTurns`). */
  contextTurns: number;
}

export interface RunData {
  train: DatasetRows;
  validation: DatasetRows;
}

/** What of a model its rows depend on; none of its weights. */
export type RowModel = Pick<ResidentModel, 'model' | 'maxLength'>;

/** Milliseconds after which others have their turn: what loads the weights meanwhile, and requests to stop. */
const TURN = 10;

/** Labels of the validation split's random stream. */
const SPLIT_STREAM = 0x73706c69;

/**
 * Reads the training and validation rows of a run. With `validation_split` that share of the training rows, chosen by the seed,
 * is set aside. Throws `dataset.*` and `tokenizer.*`, and `LoadCancelled` where `cancelled` says so; the tokenizer is read only where
 * a row is text.
 */
export async function readRunData(
  run: RunFile,
  model: RowModel,
  cancelled: () => boolean = () => false,
): Promise<RunData> {
  const encoder = new RecordEncoder(run, model, cancelled);
  const train = await readDataset(run.dataset.train, encoder);
  if (train.rows.length === 0) throw empty(run.dataset.train, train, encoder.maxLength);
  if (run.dataset.validation) {
    const validation = await readDataset(run.dataset.validation, encoder);
    if (validation.rows.length === 0) throw empty(run.dataset.validation, validation, encoder.maxLength);
    return { train, validation };
  }
  return splitOff(train, run.dataset.validation_split, run.training.seed);
}

function empty(path: string, { dropped, refused, left }: DatasetRows, maxLength: number): GlmError {
  // A template that refuses everything is broken, not the data.
  if (refused?.count === dropped) return refused.error;
  // Nothing is wrong with the records themselves, so looking through them would not help.
  if (left?.count === dropped)
    return new GlmError('dataset.noRow', {
      path,
      rows: dropped,
      line: left.line,
      reason: left.reason,
      maxLength,
    });
  return new GlmError('dataset.empty', { path, rows: dropped, dropped });
}

class RecordEncoder {
  private tokenizer: TokenizerBundle | null = null;
  /** Most tokens of a row. */
  readonly maxLength: number;

  constructor(
    private readonly run: RunFile,
    private readonly target: RowModel,
    private readonly cancelled: () => boolean,
  ) {
    this.maxLength = Math.min(run.dataset.max_length, target.maxLength);
  }

  async encode(record: TrainingRecord): Promise<EncodedSample | { dropped: DropReason }> {
    if (this.cancelled()) throw new LoadCancelled('reading was cancelled');
    const { vocabSize } = this.target.model;
    if (record.kind === 'tokens') return encodeTokens(record, vocabSize, this.maxLength);
    const { template = null, mask_history: maskHistory } = this.run.dataset;
    this.tokenizer ??= await loadTokenizer(this.run.model, { vocabSize, ...(template && { template }) });
    return this.tokenizer.template.encodeRecord(record, { maxLength: this.maxLength, maskHistory });
  }

  /** Throws where a family's markers are missing from a row of ids. */
  check(sample: EncodedSample, path: string, line: number): void {
    try {
      this.target.model.places(sample.inputIds);
    } catch (error) {
      if (!(error instanceof GlmError)) throw error;
      throw new GlmError('dataset.unplacedRow', { path, line }, { cause: error });
    }
  }
}

/** A record that the checkpoint's own chat template refuses, such as one whose roles do not alternate. */
function refusalOf(error: unknown): GlmError {
  if (isGlmError(error) && error.code === 'tokenizer.chatTemplateFailed') return error;
  throw error;
}

async function readDataset(path: string, encoder: RecordEncoder): Promise<DatasetRows> {
  const result = noRows();
  let turn = performance.now();
  for await (const item of readRecords(path)) {
    if (performance.now() - turn > TURN) {
      await setImmediate();
      turn = performance.now();
    }
    if ('dropped' in item) {
      result.dropped++;
      continue;
    }
    const sample = await encoder.encode(item.record).catch(refusalOf);
    if (sample instanceof GlmError) {
      result.refused ??= { count: 0, line: item.line, error: sample };
      result.refused.count++;
      result.dropped++;
      continue;
    }
    if ('dropped' in sample) {
      result.dropped++;
      result.left ??= { count: 0, line: item.line, reason: sample.dropped };
      result.left.count++;
      if (sample.dropped === 'tooLong') result.tooLong++;
      continue;
    }
    encoder.check(sample, path, item.line);
    if (sample.truncated > 0) result.truncated++;
    result.contextTurns += sample.contextTurns ?? 0;
    const { inputIds, labels, paddingBefore = 0 } = sample;
    result.rows.push({ inputIds, labels, paddingBefore, lines: [item.line], starts: [0] });
  }
  return result;
}

function noRows(): DatasetRows {
  return { rows: [], dropped: 0, tooLong: 0, refused: null, left: null, truncated: 0, contextTurns: 0 };
}

/** Moves a share of the rows, rounded, to validation; at least one row stays on each side of a split above 0. */
function splitOff(train: DatasetRows, share: number, seed: number): RunData {
  const none = noRows();
  const { length } = train.rows;
  if (share === 0 || length < 2) return { train, validation: none };
  const count = Math.min(length - 1, Math.max(1, Math.round(length * share)));
  const order = new Random(seed, SPLIT_STREAM).shuffle(Array.from(train.rows.keys()));
  const aside = new Set(order.slice(0, count));
  return {
    train: { ...train, rows: train.rows.filter((_, i) => !aside.has(i)) },
    validation: { ...none, rows: train.rows.filter((_, i) => aside.has(i)) },
  };
}
