/** Above the first line of a dataset: how much is in it, and what to do with it. */
import * as vscode from 'vscode';
import { COMMANDS } from '../host/names';
import { t } from '../host/translate';
import type { LintMonitor } from './monitor';
import { DATASET_SELECTOR } from './selector';
import { problemCount, recordCount, SHOW_PROBLEMS } from './summary';

export function registerCodeLens(monitor: LintMonitor): vscode.Disposable {
  const provider = new DatasetCodeLens(monitor);
  return vscode.Disposable.from(
    provider,
    vscode.languages.registerCodeLensProvider(DATASET_SELECTOR, provider),
  );
}

class DatasetCodeLens implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(private readonly monitor: LintMonitor) {
    this.subscriptions = [
      this.changed,
      monitor.onDidChange(() => this.changed.fire()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.changed.fire()),
    ];
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const state = this.monitor.get(document.uri)?.state;
    if (state === undefined || state.summary.formats.length === 0) return [];
    const line = new vscode.Range(0, 0, 0, 0);
    const title = `${recordCount(state)} · ${problemCount(state)}`;
    const lenses = [new vscode.CodeLens(line, { title, command: SHOW_PROBLEMS })];
    if (canTrain(document)) {
      const command = {
        title: t('Fine-tune ChatGLM…'),
        command: COMMANDS.fineTune,
        arguments: [document.uri],
      };
      lenses.push(new vscode.CodeLens(line, command));
    }
    return lenses;
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }
}

/** Training reads the file from disk and starts a process. */
function canTrain(document: vscode.TextDocument): boolean {
  return vscode.workspace.isTrusted && document.uri.scheme === 'file';
}
