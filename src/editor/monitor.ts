/** Keeps every open dataset linted and its diagnostics up to date. */
import * as vscode from 'vscode';
import type { Log } from '../host/log';
import { toDiagnostics } from './diagnostics';
import { LintedDocument } from './lintedDocument';
import { isDataset } from './selector';
import { affectsLint, lintDelay, lintEnabled } from './settings';

export class LintMonitor implements vscode.Disposable {
  private readonly documents = new Map<string, LintedDocument>();
  private readonly diagnostics = vscode.languages.createDiagnosticCollection('glm');
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];

  /** The state of a document changed: linting began, or ended with a result. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly log: Log) {
    this.subscriptions = [
      this.diagnostics,
      this.changed,
      vscode.workspace.onDidOpenTextDocument((document) => this.open(document)),
      vscode.workspace.onDidCloseTextDocument((document) => this.close(document.uri)),
      vscode.workspace.onDidChangeTextDocument((event) => this.edit(event)),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (affectsLint(event)) this.restart();
      }),
    ];
    vscode.workspace.textDocuments.forEach((document) => this.open(document));
  }

  /** What is known of an open dataset; undefined while linting is off for it. */
  get(uri: vscode.Uri): LintedDocument | undefined {
    return this.documents.get(uri.toString());
  }

  dispose(): void {
    this.documents.forEach((linted) => linted.dispose());
    this.documents.clear();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private open(document: vscode.TextDocument): void {
    if (!isDataset(document) || !lintEnabled(document.uri)) return;
    this.get(document.uri)?.dispose();
    const linted = new LintedDocument(document, () => this.publish(linted));
    this.documents.set(document.uri.toString(), linted);
    this.changed.fire(document.uri);
    linted.schedule(0);
  }

  private close(uri: vscode.Uri): void {
    const linted = this.get(uri);
    if (linted === undefined) return;
    linted.dispose();
    this.documents.delete(uri.toString());
    this.diagnostics.delete(uri);
    this.changed.fire(uri);
  }

  private edit({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const linted = this.get(document.uri);
    if (linted === undefined || contentChanges.length === 0) return;
    const wasBusy = linted.busy;
    linted.edit(contentChanges);
    linted.schedule(lintDelay(document.uri));
    if (!wasBusy) this.changed.fire(document.uri);
  }

  private publish(linted: LintedDocument): void {
    const { document, state } = linted;
    if (state === undefined || this.get(document.uri) !== linted) return;
    this.diagnostics.set(document.uri, toDiagnostics(document.uri, state));
    const { records, lines } = state.summary;
    this.log.trace(`Linted ${document.uri.path}: ${lines} lines, ${records} records`, state.counts);
    this.changed.fire(document.uri);
  }

  private restart(): void {
    for (const linted of [...this.documents.values()]) this.close(linted.document.uri);
    vscode.workspace.textDocuments.forEach((document) => this.open(document));
  }
}
