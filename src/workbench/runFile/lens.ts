/** "Run" and "Open run" above the first line of a run file. */
import path from 'node:path';
import * as vscode from 'vscode';
import { Disposable } from '../../host/lifecycle';
import { COMMANDS, RUN_FILE_SUFFIX } from '../../host/names';
import { isLive } from '../../host/runs/runState';
import type { RunFolder } from '../../host/runs/runFolder';
import type { RunStore } from '../../host/runs/runStore';
import { t } from '../../host/translate';

export class RunFileLens extends Disposable implements vscode.CodeLensProvider {
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(private readonly runs: RunStore) {
    super();
    const selector = { scheme: 'file', pattern: `**/*${RUN_FILE_SUFFIX}` };
    this._register(vscode.languages.registerCodeLensProvider(selector, this));
    const phases = new Map<string, string>();
    this._register(runs.onDidChangeList(() => this.changed.fire()));
    this._register(
      runs.onDidChangeRun((run) => {
        if (phases.get(run.directory) === run.phase) return;
        phases.set(run.directory, run.phase);
        this.changed.fire();
      }),
    );
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const range = new vscode.Range(0, 0, 0, 0);
    const run = newestRunOf(this.runs.runs, document.uri.fsPath, document.getText());
    const lenses = [
      new vscode.CodeLens(range, {
        title: `$(play) ${t('Run')}`,
        tooltip: t('Fine-tune as this file says'),
        command: COMMANDS.runFile,
        arguments: [document.uri],
      }),
    ];
    if (run) {
      const icon = isLive(run.phase) ? '$(pulse)' : '$(graph-line)';
      lenses.push(
        new vscode.CodeLens(range, {
          title: `${icon} ${t('Open Run')}`,
          tooltip: run.directory,
          command: COMMANDS.openRun,
          arguments: [run.directory],
        }),
      );
    }
    return lenses;
  }
}

/** The newest run in `runs/` beside the run file, or in its `output_dir`, that carries the name in it. */
export function newestRunOf(
  runs: readonly RunFolder[],
  runFile: string,
  text: string,
): RunFolder | undefined {
  const directory = path.dirname(runFile);
  const { name, outputDir } = identity(text);
  return runs.find((run) => {
    if (outputDir !== null) return run.directory === path.resolve(directory, outputDir);
    return run.name === name && path.dirname(run.directory) === path.join(directory, 'runs');
  });
}

/** The keys that name a run, from a file that may be half typed. */
function identity(text: string): { name: string | null; outputDir: string | null } {
  try {
    const value = JSON.parse(text) as { name?: unknown; output_dir?: unknown } | null;
    return { name: textOrNull(value?.name), outputDir: textOrNull(value?.output_dir) };
  } catch {
    return { name: null, outputDir: null };
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
