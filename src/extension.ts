/** Composition root of the extension: builds the services, registers the rooms, returns. */
import * as vscode from 'vscode';
import { registerEditor } from './editor';
import { Engine } from './host/engine';
import { Failures } from './host/failures';
import { createLog } from './host/log';
import { Runtimes } from './host/runtimes';
import { RunStore } from './host/runs/runStore';
import { TrainingSupervisor } from './host/runs/supervisor';
import type { Services } from './host/services';
import { t } from './host/translate';
import { registerWorkbench } from './workbench';

export function activate(context: vscode.ExtensionContext): void {
  try {
    const services = buildServices(context);
    context.subscriptions.push(...registerEditor(services), ...registerWorkbench(services));
    void services.failures.guard(() => services.runs.scan());
  } catch (error) {
    // VS Code shows no notification for a failed activation.
    const detail = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(t('ChatGLM Fine-tune could not start: {detail}', { detail }));
    throw error;
  }
}

function buildServices(context: vscode.ExtensionContext): Services {
  const log = createLog();
  const failures = new Failures(log);
  const cli = vscode.Uri.joinPath(context.extensionUri, 'dist', 'cli.js').fsPath;
  const runtimes = new Runtimes(cli, log);
  const engine = new Engine(failures, log);
  const runs = new RunStore(log);
  const training = new TrainingSupervisor(runtimes, runs, log, (_run, error) => failures.show(error));
  context.subscriptions.push(log, runtimes, engine, runs, training);
  return { context, log, failures, runtimes, engine, runs, training };
}
