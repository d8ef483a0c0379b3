/** "Fix all": applies every fix that needs no second look until nothing is left to fix. */
import type { Finding, TextFix, TextFixEdit } from '../types';
import type { DocumentLinter } from './documentLinter';
import { lintLine } from './lintLine';

/** Lines `start` to `end` (inclusive) become `lines`; an empty list deletes them. */
export interface LineReplacement {
  start: number;
  end: number;
  lines: string[];
}

const MOST_FIXES_PER_LINE = 500;

/** The edits of a fix applied to the text of one line. Edits that reach beyond the line are not for this function. */
export function applyEdits(text: string, edits: readonly TextFixEdit[]): string {
  let result = text;
  for (const edit of edits.toReversed()) {
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end);
  }
  return result;
}

/** A line with every safe fix applied: itself, none (it was a comment or blank), or several. */
export function mendLine(text: string): string[] {
  let current = text;
  for (let count = 0; count < MOST_FIXES_PER_LINE; count++) {
    const fix = lintLine(current)
      .findings.map((finding) => finding.fix)
      .find(isSafe);
    if (fix === undefined) break;
    if (fix.edits.some((edit) => edit.endLineOffset !== undefined)) return [];
    const next = applyEdits(current, fix.edits);
    if (next === current) break;
    if (next.includes('\n')) return next.split('\n').flatMap(mendLine);
    current = next;
  }
  return [current];
}

/** Every replacement that "fix all" makes in a linted document, in file order. */
export function mendDocument(linter: DocumentLinter): LineReplacement[] {
  const replacements: LineReplacement[] = [];
  let done = -1;
  for (const finding of linter.collect().findings) {
    if (finding.line <= done || !isSafe(finding.fix)) continue;
    const replacement = replacementOf(linter, finding);
    if (replacement === undefined) continue;
    replacements.push(replacement);
    done = replacement.end;
  }
  return replacements;
}

function replacementOf(linter: DocumentLinter, finding: Finding): LineReplacement | undefined {
  const { line } = finding;
  if (finding.fix?.edits.length !== 0) {
    const text = linter.entries[line]?.text ?? '';
    return { start: line, end: line, lines: mendLine(text) };
  }
  const [edit] = linter.resolveFix(finding)?.edits ?? [];
  if (edit === undefined) return undefined;
  const lines = edit.text.replace(/\n$/, '').split('\n').flatMap(mendLine);
  return { start: line, end: line + (edit.endLineOffset ?? 0), lines };
}

function isSafe(fix: TextFix | undefined): fix is TextFix {
  return fix !== undefined && fix.review !== true;
}
