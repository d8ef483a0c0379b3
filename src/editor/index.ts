/** Language features on JSONL datasets: findings while typing, fixes, a lens and a status entry. */
import type * as vscode from 'vscode';
import type { Log } from '../host/log';
import { registerCodeActions } from './codeActions';
import { registerCodeLens } from './codeLens';
import { registerLanguageStatus } from './languageStatus';
import { LintMonitor } from './monitor';

/** Registers everything; works in untrusted and in virtual workspaces. */
export function registerEditor(services: { log: Log }): vscode.Disposable[] {
  const monitor = new LintMonitor(services.log);
  return [monitor, registerCodeActions(monitor), registerCodeLens(monitor), registerLanguageStatus(monitor)];
}
