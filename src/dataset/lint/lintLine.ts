/** Linting of one line: a pure function of its text. */
import { normaliseRecord, type NormalisedRecord, type RejectedRecord } from '../formats';
import { isJsonObject, type JsonValue } from '../json';
import { JsonPositions } from '../jsonl/positions';
import { findSyntaxFault } from '../jsonl/syntax';
import { BYTE_RULE, problemRule, RECORD_RULES, syntaxRule, TEXT_RULES } from '../rules';
import type { LineEntry, LineFinding, ParsedLine, Report } from '../rules/rule';
import type { RuleId, Severity, TrainingRecord } from '../types';

/** A line with what it means for training. `record` is set exactly where no finding is an error. */
export interface LintedLine extends LineEntry {
  readonly record?: TrainingRecord;
}

const BYTE_ORDER_MARK = 0xfeff;
const NO_FINDINGS: readonly LineFinding[] = [];

/** Lints one line, given without its line ending. */
export function lintLine(text: string): LintedLine {
  if (text.charCodeAt(0) === BYTE_ORDER_MARK) return lintMarkedLine(text);
  if (/^[ \t\r\n]*$/.test(text)) {
    const rule = TEXT_RULES.blankLine;
    const findings = rule.check(text).map((report) => complete(rule, report));
    return { text, kind: 'blank', format: null, findings };
  }
  const parsed = parse(text);
  return parsed === undefined ? lintInvalidLine(text) : lintParsedLine(text, parsed.value);
}

/** Lints a line of a file whose bytes are not UTF-8: what it means for training cannot be known. */
export function lintUndecodableLine(text: string): LintedLine {
  const findings = BYTE_RULE.check(text).map((report) => complete(BYTE_RULE, report));
  return { text, kind: 'invalid', format: null, findings };
}

/** Reads past a byte order mark: the findings of the rest, moved by its one column. */
function lintMarkedLine(text: string): LintedLine {
  const rest = lintLine(text.slice(1));
  const rule = TEXT_RULES.bom;
  const own = rule.check(text).map((report) => complete(rule, report));
  return { ...rest, text, findings: [...own, ...rest.findings.map(moveByOne)] };
}

function lintInvalidLine(text: string): LintedLine {
  const fault = findSyntaxFault(text) ?? { cause: 'unexpected', start: 0, end: text.length };
  const rule = syntaxRule(fault.cause);
  return { text, kind: 'invalid', format: null, findings: [complete(rule, rule.check(text, fault))] };
}

function lintParsedLine(text: string, value: JsonValue): LintedLine {
  const normalised = normaliseRecord(value);
  const problems = problemsOf(normalised);
  const line: ParsedLine = { text, value, positions: new JsonPositions(text) };
  const findings: LineFinding[] = [];
  for (const problem of problems) {
    const rule = problemRule(problem.code);
    findings.push(complete(rule, rule.check(problem, line)));
  }
  if (isJsonObject(value)) {
    for (const rule of RECORD_RULES) {
      for (const report of rule.check(line, value)) findings.push(complete(rule, report));
    }
  }
  const { format } = normalised;
  const failed = findings.some((finding) => finding.severity === 'error');
  if (failed || !('record' in normalised)) return { text, kind: 'rejected', format, findings };
  const { record } = normalised;
  return { text, kind: 'record', format, record, findings: findings.length > 0 ? findings : NO_FINDINGS };
}

function problemsOf(normalised: NormalisedRecord | RejectedRecord) {
  return 'record' in normalised ? normalised.warnings : normalised.problems;
}

function parse(text: string): { value: JsonValue } | undefined {
  try {
    return { value: JSON.parse(text) as JsonValue };
  } catch {
    return undefined;
  }
}

export function complete(rule: { id: RuleId; severity: Severity }, report: Report): LineFinding {
  return { severity: rule.severity, ...report, rule: rule.id };
}

function moveByOne(finding: LineFinding): LineFinding {
  const moved = { ...finding, start: finding.start + 1, end: finding.end + 1 };
  if (finding.fix === undefined) return moved;
  const edits = finding.fix.edits.map((edit) => ({
    ...edit,
    start: edit.start + 1,
    end: edit.endLineOffset === undefined ? edit.end + 1 : edit.end,
  }));
  return { ...moved, fix: { ...finding.fix, edits } };
}
