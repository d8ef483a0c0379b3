/** The record shapes, in the order in which they are tried, and the way from any of them to a `TrainingRecord`. */
import { isJsonObject, jsonTypeName, type JsonValue } from '../json';
import type { FormatId, TrainingRecord } from '../types';
import { alpaca } from './alpaca';
import { columns } from './columns';
import type { RecordFormat } from './format';
import { conversations, messages } from './messages';
import { ProblemSink, type Problem } from './problem';
import { promptCompletion } from './promptCompletion';
import { promptResponse } from './promptResponse';
import { queryResponse } from './queryResponse';
import { sharegpt } from './sharegpt';
import { text } from './text';
import { tokens } from './tokens';

const FORMATS: readonly RecordFormat[] = [
  tokens,
  messages,
  sharegpt,
  conversations,
  alpaca,
  queryResponse,
  promptCompletion,
  promptResponse,
  columns,
  text,
];

export interface NormalisedRecord {
  format: FormatId;
  record: TrainingRecord;
  /** Doubtful things; none keeps the record from being trained on. */
  warnings: Problem[];
}

export interface RejectedRecord {
  format: FormatId | null;
  /** At least one of them is fatal. */
  problems: Problem[];
}

function findFormat(value: JsonValue): RecordFormat | undefined {
  return isJsonObject(value) ? FORMATS.find((format) => format.matches(value)) : undefined;
}

/** The format a parsed line is meant in, or null. A record can be detected and still have faults. */
export function detectFormat(value: unknown): FormatId | null {
  return findFormat(value as JsonValue)?.id ?? null;
}

/**
 * A parsed line as a training record, or every problem that keeps it from being one.
 * Alpaca's and prompt/response's histories become messages; a trailing turn that nobody answers is left out.
 */
export function normaliseRecord(value: unknown): NormalisedRecord | RejectedRecord {
  const json = value as JsonValue;
  const sink = new ProblemSink();
  const format = findFormat(json);
  if (format === undefined || !isJsonObject(json)) {
    reportUnknown(json, sink);
    return { format: null, problems: sink.problems };
  }
  const record = format.normalise(json, sink);
  if (record === undefined || sink.fatal) return { format: format.id, problems: sink.problems };
  return { format: format.id, record, warnings: sink.problems };
}

function reportUnknown(value: JsonValue, sink: ProblemSink): void {
  if (isJsonObject(value)) {
    const keys = Object.keys(value);
    const shown = keys.slice(0, 8).join(', ') + (keys.length > 8 ? ', …' : '');
    sink.error('unknownShape', [], { keys: shown });
  } else if (Array.isArray(value)) {
    sink.error('arrayRecord', [], {});
  } else {
    sink.error('notAnObject', [], { actual: jsonTypeName(value) });
  }
}

export type { Problem, ProblemCode } from './problem';
