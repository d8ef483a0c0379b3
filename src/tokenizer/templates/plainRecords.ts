/** Records that are the same in every family: plain text and pre-tokenised rows. */
import type { TrainingRecord } from '../../dataset/types';
import type { DropReason, EncodedSample } from '../types';
import { IGNORED, makeSample } from './segments';

/**
 * Plain text: the family's prefix (not trained), the text and the stop token (trained). Too long a text loses its end.
 */
export function encodeText(
  prefix: readonly number[],
  text: readonly number[],
  stopId: number,
  maxLength: number,
): EncodedSample | { dropped: DropReason } {
  if (text.length === 0) return { dropped: 'noTrainedToken' };
  const room = maxLength - prefix.length - 1;
  if (room < 1) return { dropped: 'tooLong' };
  const kept = text.slice(0, room);
  const labels = [...prefix.map(() => IGNORED), ...kept, stopId];
  return makeSample([...prefix, ...kept, stopId], labels, text.length - kept.length);
}

/**
 * Pre-tokenised ids and labels, taken over as they are; padding (`attention_mask` 0) is removed, too long a row loses its end.
 * @param vocabSize rows of the model's embedding
 */
export function encodeTokens(
  record: Extract<TrainingRecord, { kind: 'tokens' }>,
  vocabSize: number,
  maxLength: number,
): EncodedSample | { dropped: DropReason } {
  const isId = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < vocabSize;
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
  const whole = makeSample(ids, labels, 0);
  if (whole.trained === 0) return { dropped: 'noTrainedToken' };
  if (ids.length <= maxLength) return whole;
  const row = makeSample(ids.slice(0, maxLength), labels.slice(0, maxLength), ids.length - maxLength);
  return row.trained === 0 ? { dropped: 'tooLong' } : row;
}
