/** Records that are the same in every family: plain text and pre-tokenised rows. */
import type { TrainingRecord } from '../../dataset/types';
import type { DropReason, EncodedSample, RowLayout, TokenRun } from '../types';
import { addRun, IGNORED, toSample } from './segments';

/**
 * Plain text: the family's prefix (not trained), the text and the stop token (trained). Too long a text loses its end.
 */
export function layoutText(
  prefix: readonly number[],
  text: readonly number[],
  stopId: number,
  maxLength: number,
): RowLayout | { dropped: DropReason } {
  if (text.length === 0) return { dropped: 'noTrainedToken' };
  const room = maxLength - prefix.length - 1;
  if (room < 1) return { dropped: 'tooLong' };
  const kept = text.slice(0, room);
  const runs: TokenRun[] = [];
  addRun(runs, 'control', null, prefix.length);
  addRun(runs, 'text', null, kept.length);
  addRun(runs, 'control', null, 1);
  return {
    ids: [...prefix, ...kept, stopId],
    labels: [...prefix.map(() => IGNORED), ...kept, stopId],
    runs,
    truncated: text.length - kept.length,
  };
}

/**
 * Pre-tokenised ids and labels, taken over as they are; padding (`attention_mask` 0) is removed, too long a row loses its end.
 * @param vocabSize rows of the model's embedding
 */
export function layoutTokens(
  record: Extract<TrainingRecord, { kind: 'tokens' }>,
  vocabSize: number,
  maxLength: number,
): RowLayout | { dropped: DropReason } {
  const isId = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < vocabSize;
  const isTrained = (label: number): boolean => label !== IGNORED;
  const ids: number[] = [];
  const labels: number[] = [];
  for (const [index, id] of record.input_ids.entries()) {
    if (record.attention_mask?.[index] === 0) continue;
    const label = record.labels[index] ?? IGNORED;
    if (!isId(id) || (label !== IGNORED && !isId(label))) return { dropped: 'tokenOutOfRange' };
    ids.push(id);
    // Nothing precedes the first token, so nothing can learn to predict it.
    labels.push(labels.length === 0 ? IGNORED : label);
  }
  if (!labels.some(isTrained)) return { dropped: 'noTrainedToken' };
  const length = Math.min(ids.length, maxLength);
  const kept = labels.slice(0, length);
  if (!kept.some(isTrained)) return { dropped: 'tooLong' };
  const runs: TokenRun[] = [{ role: 'text', message: null, length }];
  const layout = { ids: ids.slice(0, length), labels: kept, runs, truncated: ids.length - length };
  const paddingBefore = record.attention_mask?.findIndex((real) => real !== 0) ?? 0;
  return paddingBefore > 0 ? { ...layout, paddingBefore } : layout;
}

/** `layoutTokens` as arrays for training; needs no tokenizer. */
export function encodeTokens(
  record: Extract<TrainingRecord, { kind: 'tokens' }>,
  vocabSize: number,
  maxLength: number,
): EncodedSample | { dropped: DropReason } {
  return toSample(layoutTokens(record, vocabSize, maxLength));
}
