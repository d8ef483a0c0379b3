/** Commands on runs: from the tree, a CodeLens, the panel, or the palette (which then asks which run). */
import * as vscode from 'vscode';
import { Disposable } from '../../host/lifecycle';
import { COMMANDS } from '../../host/names';
import { RunFolder } from '../../host/runs/runFolder';
import { isLive } from '../../host/runs/runState';
import type { Services } from '../../host/services';
import { t } from '../../host/translate';
import { requireTrust } from '../../host/trust';
import type { RunPanels } from '../runPanel/panels';
import { progressSummary } from './describe';
import { reveal } from './reveal';
import { runFileArgument, startRun } from './startRun';

type RunFilter = (run: RunFolder) => boolean;

export class RunCommands extends Disposable {
  constructor(
    private readonly services: Services,
    private readonly panels: RunPanels,
    private readonly chatWith: (run: RunFolder) => Promise<void>,
  ) {
    super();
    this.add(COMMANDS.runFile, (argument) => this.start(argument));
    this.addForRun(
      COMMANDS.openRun,
      t('Open which run?'),
      () => true,
      (run) => panels.open(run),
    );
    this.addForRun(
      COMMANDS.stopRun,
      t('Stop which run?'),
      (run) => isLive(run.phase),
      (run) => this.stop(run),
    );
    this.addForRun(
      COMMANDS.resumeRun,
      t('Resume which run?'),
      (run) => run.resumable,
      (run) => this.resume(run),
    );
    this.addForRun(
      COMMANDS.revealRun,
      t('Reveal which run?'),
      () => true,
      (run) => reveal(run.directory),
    );
    this.addForRun(
      COMMANDS.deleteRun,
      t('Delete which run?'),
      (run) => !isLive(run.phase),
      (run) => this.remove(run),
    );
    this.addForRun(
      COMMANDS.chatWithRun,
      t('Chat with which run?'),
      (run) => run.output !== null,
      (run) => this.chatWith(run),
    );
  }

  private add(command: string, handler: (argument: unknown) => unknown): void {
    this._register(
      vscode.commands.registerCommand(command, (argument: unknown) =>
        this.services.failures.guard(async () => handler(argument)),
      ),
    );
  }

  private addForRun(
    command: string,
    question: string,
    fits: RunFilter,
    handler: (run: RunFolder) => unknown,
  ): void {
    this.add(command, async (argument) => {
      const run = this.runOf(argument) ?? (await this.ask(question, fits));
      if (run) await handler(run);
    });
  }

  /** The run that a caller means: the run itself or its directory. */
  private runOf(argument: unknown): RunFolder | undefined {
    if (argument instanceof RunFolder) return argument;
    return typeof argument === 'string' ? this.services.runs.add(argument) : undefined;
  }

  private async ask(question: string, fits: RunFilter): Promise<RunFolder | undefined> {
    await this.services.runs.scan();
    const runs = this.services.runs.runs.filter(fits);
    if (runs.length === 0) {
      void vscode.window.showInformationMessage(t('There is no such run in this workspace.'));
      return undefined;
    }
    const items = runs.map((run) => ({
      label: run.name,
      description: progressSummary(t, run, vscode.env.language),
      detail: vscode.workspace.asRelativePath(run.directory),
      run,
    }));
    return (await vscode.window.showQuickPick(items, { placeHolder: question }))?.run;
  }

  private async start(argument: unknown): Promise<void> {
    const uri = runFileArgument(argument);
    if (!uri) return;
    const run = await startRun(this.services, uri);
    if (run) this.panels.open(run);
  }

  private async stop(run: RunFolder): Promise<void> {
    await this.services.training.stop(run);
  }

  private async resume(run: RunFolder): Promise<void> {
    requireTrust();
    if (!(await this.services.engine.ensureReady())) return;
    await this.services.training.resume(run);
    this.panels.open(run);
  }

  private async remove(run: RunFolder): Promise<void> {
    const confirm = t('Delete');
    const choice = await vscode.window.showWarningMessage(
      t('Delete the run "{name}"?', { name: run.name }),
      {
        modal: true,
        detail: t('Its checkpoints and its result go with it:\n{path}', { path: run.directory }),
      },
      confirm,
    );
    if (choice !== confirm) return;
    await run.refresh();
    if (isLive(run.phase)) {
      void vscode.window.showWarningMessage(t('The run is going on. Stop it before you delete it.'));
      return;
    }
    this.panels.close(run);
    await vscode.workspace.fs.delete(vscode.Uri.file(run.directory), { recursive: true });
    this.services.runs.remove(run.directory);
  }
}
