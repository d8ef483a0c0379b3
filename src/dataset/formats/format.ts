import type { JsonObject } from '../json';
import type { FormatId, TrainingRecord } from '../types';
import type { ProblemSink } from './problem';

/** One record shape: how to tell it and how to bring it to a `TrainingRecord`. */
export interface RecordFormat {
  readonly id: FormatId;
  /** Whether the record is meant in this shape, faults or not. The first format of the registry that matches wins. */
  matches(record: JsonObject): boolean;
  /** The record, or undefined after at least one `sink.error`. Reports every problem, not only the first. */
  normalise(record: JsonObject, sink: ProblemSink): TrainingRecord | undefined;
}
