/** Pre-tokenised rows: `input_ids`, `labels` (absent: every token is trained) and `attention_mask`. */
import { hasKey, type JsonObject, type JsonValue } from '../json';
import type { TrainingRecord } from '../types';
import type { RecordFormat } from './format';
import type { ProblemSink } from './problem';

const IGNORED_LABEL = -100;
const LARGEST_ID = 0x7fffffff;

export const tokens: RecordFormat = {
  id: 'tokens',
  matches: (record) => hasKey(record, 'input_ids'),

  normalise(record, sink): TrainingRecord | undefined {
    const ids = integers(record, 'input_ids', sink, isTokenId);
    if (ids === undefined) return undefined;
    if (ids.length === 0) sink.error('emptyList', ['input_ids'], { field: 'input_ids' });
    const labels = isAbsent(record['labels']) ? [...ids] : integers(record, 'labels', sink, isLabel);
    const mask = isAbsent(record['attention_mask'])
      ? undefined
      : integers(record, 'attention_mask', sink, (value) => value === 0 || value === 1);
    checkLength('labels', labels, ids, sink);
    checkLength('attention_mask', mask, ids, sink);
    if (labels !== undefined && ids.length > 0 && labels.every((label) => label === IGNORED_LABEL)) {
      sink.error('nothingTrained', ['labels'], {}, 'key');
    }
    if (sink.fatal || labels === undefined) return undefined;
    const row = { kind: 'tokens' as const, input_ids: ids, labels };
    return mask === undefined ? row : { ...row, attention_mask: mask };
  },
};

function isAbsent(value: JsonValue | undefined): boolean {
  return value === undefined || value === null;
}

function isTokenId(value: number): boolean {
  return value >= 0 && value <= LARGEST_ID;
}

function isLabel(value: number): boolean {
  return value === IGNORED_LABEL || isTokenId(value);
}

/** A list of whole numbers that `allowed` accepts; reports the first that it does not. */
function integers(
  record: JsonObject,
  field: string,
  sink: ProblemSink,
  allowed: (value: number) => boolean,
): number[] | undefined {
  const list = record[field] ?? null;
  if (!Array.isArray(list)) {
    sink.wrongType([field], 'integerArray', list);
    return undefined;
  }
  const bad = list.findIndex((value) => !(Number.isInteger(value) && allowed(value as number)));
  if (bad < 0) return list as number[];
  const value = JSON.stringify(list[bad]).slice(0, 40);
  sink.error('badTokenId', [field, bad], { field, value });
  return undefined;
}

function checkLength(
  field: string,
  list: readonly number[] | undefined,
  ids: readonly number[],
  sink: ProblemSink,
): void {
  if (list === undefined || list.length === ids.length) return;
  sink.error('lengthMismatch', [field], { field, length: list.length, expected: ids.length }, 'key');
}
