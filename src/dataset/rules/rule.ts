/** What a lint rule is. Rules of one line are pure functions of its text; file rules see the results of all lines. */
import type { JsonObject, JsonValue } from '../json';
import type { JsonPositions } from '../jsonl/positions';
import type { SyntaxCause, SyntaxFault } from '../jsonl/syntax';
import type { Problem, ProblemCode } from '../formats/problem';
import type { Finding, FormatId, RuleId, Severity, TextFix } from '../types';

/** A finding without its rule, severity and line, which the runner adds. */
export type Report = Pick<Finding, 'start' | 'end' | 'message' | 'args' | 'related' | 'fix'> & {
  /** Where it differs from the rule's own. */
  severity?: Severity;
};

/** A line that is valid JSON. */
export interface ParsedLine {
  text: string;
  value: JsonValue;
  positions: JsonPositions;
}

interface RuleHead {
  id: RuleId;
  severity: Severity;
}

/** Looks at the text of every line, valid or not. */
export interface TextRule extends RuleHead {
  stage: 'text';
  check(text: string): Report[];
}

/** Looks at a line whose bytes are not UTF-8; `text` has U+FFFD where they could not be decoded. */
export interface ByteRule extends RuleHead {
  stage: 'bytes';
  check(text: string): Report[];
}

/** Explains a line that is not JSON. Exactly one syntax rule owns each cause. */
export interface SyntaxRule extends RuleHead {
  stage: 'syntax';
  causes: readonly SyntaxCause[];
  check(text: string, fault: SyntaxFault): Report;
}

/** Explains a problem of a record's shape. Exactly one problem rule owns each code. */
export interface ProblemRule extends RuleHead {
  stage: 'problem';
  codes: readonly ProblemCode[];
  check(problem: Problem, line: ParsedLine): Report;
}

/** Looks at a line that is a JSON object. */
export interface RecordRule extends RuleHead {
  stage: 'record';
  check(line: ParsedLine, record: JsonObject): Report[];
}

/** Looks at all lines together; must be cheap, since it runs after every edit. */
export interface FileRule extends RuleHead {
  stage: 'file';
  check(file: FileView, report: FileReport): void;
}

export type Rule = TextRule | ByteRule | SyntaxRule | ProblemRule | RecordRule | FileRule;

/** A finding of one line; its line number is known only to the file. */
export type LineFinding = Omit<Finding, 'line'>;

/** What is remembered of a linted line. */
export interface LineEntry {
  /** Empty where the file reader does not keep it: see `FileLinter`. */
  readonly text: string;
  /** `rejected`: JSON, but not a record that can be trained on. */
  readonly kind: 'blank' | 'invalid' | 'rejected' | 'record';
  readonly format: FormatId | null;
  readonly findings: readonly LineFinding[];
}

export interface FileView {
  /** One for each line; an editor's text may end with one more, the empty line after the last line break. */
  readonly entries: readonly LineEntry[];
  /** Number of lines, without that empty one. */
  readonly lineCount: number;
  /** Lines with findings of their own, in ascending order: all that are not JSON are among them. */
  flagged(): readonly number[];
  /** Number of lines per format. */
  readonly formats: ReadonlyMap<FormatId, number>;
  /** Lines (0-based) with the same text as an earlier line, with the first such line. */
  duplicates(): Iterable<Duplicate>;
}

export interface Duplicate {
  line: number;
  first: number;
  /** UTF-16 units of the line. */
  length: number;
}

export interface FileReport {
  /** Adds a finding, unless the line is covered. */
  add(line: number, report: Report): void;
  /** From now on hides the findings of lines `from..to` (inclusive) that are not records by themselves. */
  cover(from: number, to: number): void;
  /** Hides what the rule found in single lines. */
  hide(rule: RuleId): void;
}

export function fixOf(title: string, start: number, end: number, text: string, review = false): TextFix {
  const fix: TextFix = { title, edits: [{ start, end, text }] };
  return review ? { ...fix, review } : fix;
}

/** Deletes the line of the finding with its line ending. */
export function deleteLine(title: string, review: boolean): TextFix {
  const fix: TextFix = { title, edits: [{ start: 0, end: 0, text: '', endLineOffset: 1 }] };
  return review ? { ...fix, review } : fix;
}
