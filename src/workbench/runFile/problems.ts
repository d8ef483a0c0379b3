/** Problems of run files in the editor: what the JSON schema cannot know, that is, wrong combinations and paths that lead nowhere. */
import * as vscode from 'vscode';
import { Disposable, toDisposable } from '../../host/lifecycle';
import { RUN_FILE_SUFFIX } from '../../host/names';
import { t } from '../../host/translate';
import { valueRange } from './positions';
import { readRunFileText, type RunFileFault } from './readRunFile';

const DEBOUNCE_MS = 300;

export function isRunFile(document: vscode.TextDocument): boolean {
  return document.uri.scheme === 'file' && document.fileName.endsWith(RUN_FILE_SUFFIX);
}

export class RunFileProblems extends Disposable {
  private readonly collection = this._register(vscode.languages.createDiagnosticCollection('glmtune-run'));
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor() {
    super();
    this._register(vscode.workspace.onDidOpenTextDocument((document) => this.schedule(document)));
    this._register(vscode.workspace.onDidChangeTextDocument(({ document }) => this.schedule(document)));
    this._register(vscode.workspace.onDidCloseTextDocument(({ uri }) => this.forget(uri)));
    this._register(toDisposable(() => this.timers.forEach((timer) => clearTimeout(timer))));
    vscode.workspace.textDocuments.forEach((document) => this.schedule(document));
  }

  private schedule(document: vscode.TextDocument): void {
    if (!isRunFile(document)) return;
    const key = document.uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => void this.check(document), DEBOUNCE_MS),
    );
  }

  private forget(uri: vscode.Uri): void {
    const key = uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    this.collection.delete(uri);
  }

  private async check(document: vscode.TextDocument): Promise<void> {
    const { version } = document;
    const { faults } = await readRunFileText(t, document.fileName, document.getText());
    if (document.isClosed || document.version !== version || this.isDisposed) return;
    const own = faults.filter((fault) => !fault.bySchema);
    this.collection.set(
      document.uri,
      own.map((fault) => diagnostic(document, fault)),
    );
  }
}

function diagnostic(document: vscode.TextDocument, fault: RunFileFault): vscode.Diagnostic {
  const found = valueRange(document.getText(), fault.key.split('.')) ?? { start: 0, end: 1 };
  const range = new vscode.Range(document.positionAt(found.start), document.positionAt(found.end));
  const made = new vscode.Diagnostic(
    range,
    `${fault.key}: ${fault.sentence}`,
    fault.severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning,
  );
  made.source = 'ChatGLM';
  return made;
}
