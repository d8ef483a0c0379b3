/** What keeps a record from being trained on, or should make its author look twice. */
import { jsonTypeName, type JsonPath, type JsonTypeName, type JsonValue } from '../json';

/** What each problem carries besides its place. Names of fields and roles are as they stand in the file. */
export interface ProblemArguments {
  /** No format claims the record. */
  unknownShape: { keys: string };
  notAnObject: { actual: JsonTypeName };
  arrayRecord: Record<never, never>;
  missingField: { field: string };
  wrongType: { field: string; expected: ExpectedType; actual: JsonTypeName };
  emptyList: { field: string };
  /** A history element that is not a pair of strings. */
  badHistoryTurn: { field: string };
  emptyAnswer: { field: string };
  emptyPrompt: { field: string };
  unknownRole: { role: string; suggestion: string };
  repeatedRole: { role: string };
  systemNotFirst: Record<never, never>;
  startsWithAssistant: { role: string };
  observationFirst: { role: string };
  observationWithoutCall: { role: string };
  noAssistant: Record<never, never>;
  endsWithoutAnswer: { role: string };
  /** Every assistant turn is marked `loss: false`, or every label is -100. */
  nothingTrained: Record<never, never>;
  toolCallNotJson: Record<never, never>;
  toolsNotJson: Record<never, never>;
  lengthMismatch: { field: string; length: number; expected: number };
  badTokenId: { field: string; value: string };
}

export type ExpectedType =
  'string' | 'array' | 'object' | 'boolean' | 'stringOrArray' | 'integerArray' | 'arrayOrJsonString';

export type ProblemCode = keyof ProblemArguments;

export type Problem = {
  [C in ProblemCode]: {
    code: C;
    args: ProblemArguments[C];
    path: JsonPath;
    /** What to underline: the key of `path`, or its value. */
    at: 'key' | 'value';
    /** True: the record cannot be trained on. */
    fatal: boolean;
  };
}[ProblemCode];

/** Collects the problems of one record while it is read. */
export class ProblemSink {
  readonly problems: Problem[] = [];
  fatal = false;

  /** Reports something that makes the record unusable. */
  error<C extends ProblemCode>(
    code: C,
    path: JsonPath,
    args: ProblemArguments[C],
    at: Problem['at'] = 'value',
  ): void {
    this.fatal = true;
    this.problems.push({ code, args, path, at, fatal: true } as Problem);
  }

  /** Reports something doubtful; the record is trained on all the same. */
  warn<C extends ProblemCode>(
    code: C,
    path: JsonPath,
    args: ProblemArguments[C],
    at: Problem['at'] = 'value',
  ): void {
    this.problems.push({ code, args, path, at, fatal: false } as Problem);
  }

  wrongType(path: JsonPath, expected: ExpectedType, actual: JsonValue): void {
    const field = fieldName(path);
    this.error('wrongType', path, { field, expected, actual: jsonTypeName(actual) });
  }
}

/** The last key of a path: what a person calls the field. */
export function fieldName(path: JsonPath): string {
  return String(path.findLast((part) => typeof part === 'string') ?? '');
}
