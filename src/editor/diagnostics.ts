/** Findings as VS Code shows them. */
import * as vscode from 'vscode';
import type { Finding, Severity } from '../dataset';
import { t } from '../host/translate';
import { describeFinding } from '../text/findings';
import type { LintState } from './lintedDocument';

/** Shown as the owner of a diagnostic, before its code. */
export const DIAGNOSTIC_SOURCE = 'ChatGLM';

const SEVERITIES: Record<Severity, vscode.DiagnosticSeverity> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};

export function findingRange(finding: Pick<Finding, 'line' | 'start' | 'end'>): vscode.Range {
  return new vscode.Range(finding.line, finding.start, finding.line, finding.end);
}

/** Diagnostics of a file; one more says how many could not be shown. */
export function toDiagnostics(uri: vscode.Uri, state: LintState): vscode.Diagnostic[] {
  const diagnostics = state.findings.map((finding) => toDiagnostic(uri, finding));
  if (state.omitted > 0) {
    const message = t('{count} more problems are not shown. The worst come first.', { count: state.omitted });
    const range = new vscode.Range(0, 0, 0, 0);
    const summary = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Information);
    summary.source = DIAGNOSTIC_SOURCE;
    diagnostics.push(summary);
  }
  return diagnostics;
}

function toDiagnostic(uri: vscode.Uri, finding: Finding): vscode.Diagnostic {
  const severity = SEVERITIES[finding.severity];
  const diagnostic = new vscode.Diagnostic(findingRange(finding), describeFinding(t, finding), severity);
  diagnostic.source = DIAGNOSTIC_SOURCE;
  diagnostic.code = finding.rule;
  if (finding.related !== undefined) {
    diagnostic.relatedInformation = finding.related.map((related) => {
      const place = new vscode.Location(uri, new vscode.Position(related.line, 0));
      return new vscode.DiagnosticRelatedInformation(place, describeFinding(t, related));
    });
  }
  return diagnostic;
}
