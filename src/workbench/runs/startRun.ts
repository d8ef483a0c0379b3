/** From a run file to a running process. */
import path from 'node:path';
import * as vscode from 'vscode';
import type { RunFolder } from '../../host/runs/runFolder';
import type { Services } from '../../host/services';
import { t } from '../../host/translate';
import { diskPath, requireTrust } from '../../host/trust';
import { chooseRunDirectory } from '../../process/chooseRunDirectory';
import { readRunFileText, type RunFileFault } from '../runFile/readRunFile';

/** Checks the run file, saves it, makes sure of the engine, and starts the run. Undefined where the user has to act first. */
export async function startRun(services: Services, uri: vscode.Uri): Promise<RunFolder | undefined> {
  requireTrust();
  const file = diskPath(uri);
  const document = await vscode.workspace.openTextDocument(uri);
  const { run, faults } = await readRunFileText(t, file, document.getText());
  // Warnings are underlined, and told again by the run itself.
  const errors = faults.filter(({ severity }) => severity === 'error');
  if (!run || errors.length > 0) {
    await showFaults(document, errors);
    return undefined;
  }
  if (document.isDirty && !(await document.save())) return undefined;
  if (!(await services.engine.ensureReady())) return undefined;
  const directory = chooseRunDirectory({ run, runFile: file });
  return services.training.start(file, directory);
}

/** All problems at once; the editor shows where they are. */
async function showFaults(document: vscode.TextDocument, faults: RunFileFault[]): Promise<void> {
  const open = t('Open Run File');
  const lines = faults.map(({ key, sentence }) => (key ? `• ${key}: ${sentence}` : `• ${sentence}`));
  const name = path.basename(document.fileName);
  const choice = await vscode.window.showErrorMessage(
    t('{name} cannot be run yet', { name }),
    { modal: true, detail: lines.join('\n') },
    open,
  );
  if (choice !== open) return;
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand('workbench.actions.view.problems');
}

/** The run file that a command was given, or the one in the editor. */
export function runFileArgument(argument: unknown): vscode.Uri | undefined {
  if (argument instanceof vscode.Uri) return argument;
  return vscode.window.activeTextEditor?.document.uri;
}
