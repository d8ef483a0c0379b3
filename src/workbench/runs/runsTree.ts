/** The Runs view. */
import * as vscode from 'vscode';
import { Disposable } from '../../host/lifecycle';
import { COMMANDS, RUN_CONTEXT, VIEWS } from '../../host/names';
import type { RunFolder } from '../../host/runs/runFolder';
import { isLive, type RunPhase } from '../../host/runs/runState';
import type { RunStore } from '../../host/runs/runStore';
import { t } from '../../host/translate';
import { phaseLabel, progressSummary } from './describe';

/**
 * Opens the selected run. VS Code forgets the arguments of an item's command when the item is redrawn, and a click in that
 * moment would fail: so the command has none.
 */
const OPEN_SELECTED = 'glmtune.runs.openSelected';
/** Milliseconds between redraws while steps arrive. */
const REDRAW_MS = 500;

export class RunsTree extends Disposable implements vscode.TreeDataProvider<RunFolder> {
  private readonly changed = this._register(new vscode.EventEmitter<RunFolder | undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly waiting = new Set<RunFolder>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly runs: RunStore) {
    super();
    const view = this._register(vscode.window.createTreeView(VIEWS.runs, { treeDataProvider: this }));
    // Where the system reports no changes (network file systems), looking at the view finds new runs.
    this._register(view.onDidChangeVisibility(({ visible }) => visible && void runs.scan()));
    this._register(
      vscode.commands.registerCommand(OPEN_SELECTED, async () => {
        const [run] = view.selection;
        if (run) await vscode.commands.executeCommand(COMMANDS.openRun, run);
      }),
    );
    this._register(runs.onDidChangeList(() => this.changed.fire(undefined)));
    this._register(runs.onDidChangeRun((run) => this.schedule(run)));
  }

  getChildren(element?: RunFolder): RunFolder[] {
    return element ? [] : this.runs.runs;
  }

  getTreeItem(run: RunFolder): vscode.TreeItem {
    const item = new vscode.TreeItem(run.name);
    item.id = run.directory;
    item.description = progressSummary(t, run, vscode.env.language);
    item.iconPath = phaseIcon(run.phase);
    item.contextValue = contextValue(run);
    item.tooltip = tooltip(run);
    item.command = { command: OPEN_SELECTED, title: t('Open Run') };
    item.accessibilityInformation = {
      label: `${run.name}, ${phaseLabel(t, run.phase)}, ${item.description}`,
    };
    return item;
  }

  private schedule(run: RunFolder): void {
    this.waiting.add(run);
    this.timer ??= setTimeout(() => {
      this.timer = null;
      for (const changed of this.waiting) this.changed.fire(changed);
      this.waiting.clear();
    }, REDRAW_MS);
  }
}

function contextValue(run: RunFolder): string {
  if (isLive(run.phase)) return RUN_CONTEXT.running;
  if (run.phase === 'done') return RUN_CONTEXT.done;
  return run.resumable ? RUN_CONTEXT.resumable : RUN_CONTEXT.ended;
}

const ICONS: Record<RunPhase, [icon: string, color: string | null]> = {
  preparing: ['loading~spin', null],
  training: ['loading~spin', null],
  stopping: ['loading~spin', null],
  stopped: ['debug-pause', 'charts.yellow'],
  done: ['pass-filled', 'charts.green'],
  failed: ['error', 'errorForeground'],
  interrupted: ['debug-disconnect', 'charts.yellow'],
};

function phaseIcon(phase: RunPhase): vscode.ThemeIcon {
  const [icon, color] = ICONS[phase];
  return new vscode.ThemeIcon(icon, color === null ? undefined : new vscode.ThemeColor(color));
}

function tooltip(run: RunFolder): vscode.MarkdownString {
  const made = new vscode.MarkdownString();
  // appendText escapes: names and paths are not markup.
  made.appendText(`${run.name} – ${phaseLabel(t, run.phase)}\n`);
  const { started } = run.progress;
  if (started)
    made.appendText(`${started.model}\n${new Date(started.time).toLocaleString(vscode.env.language)}\n`);
  made.appendText(run.directory);
  return made;
}
