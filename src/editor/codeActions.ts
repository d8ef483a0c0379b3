/** Quick fixes for single findings, and "fix all" for the whole file. */
import * as vscode from 'vscode';
import { mendDocument, type Finding, type TextFix } from '../dataset';
import { t } from '../host/translate';
import { describeFix } from '../text/findings';
import { DIAGNOSTIC_SOURCE, findingRange } from './diagnostics';
import type { LintedDocument } from './lintedDocument';
import type { LintMonitor } from './monitor';
import { DATASET_SELECTOR } from './selector';

const FIX_ALL = vscode.CodeActionKind.SourceFixAll.append('glm');

export function registerCodeActions(monitor: LintMonitor): vscode.Disposable {
  const provider = new DatasetCodeActions(monitor);
  return vscode.languages.registerCodeActionsProvider(DATASET_SELECTOR, provider, {
    providedCodeActionKinds: [vscode.CodeActionKind.QuickFix, FIX_ALL],
  });
}

class DatasetCodeActions implements vscode.CodeActionProvider {
  constructor(private readonly monitor: LintMonitor) {}

  provideCodeActions(
    document: vscode.TextDocument,
    range: vscode.Range,
    context: vscode.CodeActionContext,
  ): vscode.CodeAction[] {
    const linted = this.monitor.get(document.uri);
    if (linted === undefined || !linted.flush()) return [];
    if (context.only?.contains(FIX_ALL) && !context.only.contains(vscode.CodeActionKind.QuickFix)) {
      const action = fixAll(linted);
      return action === undefined ? [] : [action];
    }
    const findings = linted.state?.findings ?? [];
    const touched = findings.filter((finding) => findingRange(finding).intersection(range) !== undefined);
    return touched.flatMap((finding) => quickFix(linted, finding, context.diagnostics) ?? []);
  }
}

function quickFix(
  linted: LintedDocument,
  finding: Finding,
  diagnostics: readonly vscode.Diagnostic[],
): vscode.CodeAction | undefined {
  const fix = linted.linter.resolveFix(finding);
  if (fix === undefined) return undefined;
  const action = new vscode.CodeAction(describeFix(t, fix), vscode.CodeActionKind.QuickFix);
  action.edit = editOf(linted.document, finding.line, fix);
  action.isPreferred = fix.review !== true;
  action.diagnostics = diagnostics.filter(
    ({ source, code, range }) =>
      source === DIAGNOSTIC_SOURCE && code === finding.rule && range.isEqual(findingRange(finding)),
  );
  return action;
}

function editOf(document: vscode.TextDocument, line: number, fix: TextFix): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  for (const { start, end, text, endLineOffset = 0 } of fix.edits) {
    const range = document.validateRange(new vscode.Range(line, start, line + endLineOffset, end));
    edit.replace(document.uri, range, text);
  }
  return edit;
}

function fixAll(linted: LintedDocument): vscode.CodeAction | undefined {
  const { document, linter } = linted;
  const replacements = mendDocument(linter);
  if (replacements.length === 0) return undefined;
  const action = new vscode.CodeAction(t('Fix all problems that have one safe fix'), FIX_ALL);
  action.edit = new vscode.WorkspaceEdit();
  for (const { start, end, lines } of replacements) {
    const range =
      lines.length === 0
        ? new vscode.Range(start, 0, end + 1, 0)
        : new vscode.Range(start, 0, end, document.lineAt(end).text.length);
    action.edit.replace(document.uri, document.validateRange(range), lines.join('\n'));
  }
  return action;
}
