/** The run that is going on, in the status bar. */
import * as vscode from 'vscode';
import { Disposable, toDisposable } from '../../host/lifecycle';
import { COMMANDS } from '../../host/names';
import type { RunStore } from '../../host/runs/runStore';
import { t } from '../../host/translate';
import { phaseLabel, progressSummary } from './describe';

const REDRAW_MS = 500;
/** Milliseconds for which a run that just ended stays shown. */
const LINGER_MS = 8000;

export class RunStatusBar extends Disposable {
  private readonly item = this._register(
    vscode.window.createStatusBarItem('glmtune.run', vscode.StatusBarAlignment.Left, 50),
  );
  private timer: NodeJS.Timeout | null = null;
  private lingering: NodeJS.Timeout | null = null;
  private shown: string | null = null;

  constructor(private readonly runs: RunStore) {
    super();
    this.item.name = t('ChatGLM run');
    this._register(runs.onDidChangeRun(() => this.schedule()));
    this._register(runs.onDidChangeList(() => this.schedule()));
    this._register(
      toDisposable(() => {
        clearTimeout(this.timer ?? undefined);
        clearTimeout(this.lingering ?? undefined);
      }),
    );
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.update();
    }, REDRAW_MS);
  }

  private update(): void {
    const active = this.runs.active;
    const run = active ?? (this.shown === null ? undefined : this.runs.get(this.shown));
    if (!run) {
      this.item.hide();
      this.shown = null;
      return;
    }
    const icon = active ? '$(loading~spin)' : run.phase === 'done' ? '$(check)' : '$(warning)';
    this.item.text = `${icon} ${run.name}: ${progressSummary(t, run, vscode.env.language)}`;
    this.item.tooltip = `${run.name} – ${phaseLabel(t, run.phase)}`;
    this.item.accessibilityInformation = {
      label: `${run.name}, ${this.item.text.replace(/\$\([^)]*\) /, '')}`,
    };
    this.item.command = { command: COMMANDS.openRun, title: t('Open Run'), arguments: [run.directory] };
    this.item.show();
    this.shown = run.directory;
    if (active) this.stay();
    else this.hideSoon();
  }

  private stay(): void {
    clearTimeout(this.lingering ?? undefined);
    this.lingering = null;
  }

  private hideSoon(): void {
    this.lingering ??= setTimeout(() => {
      this.lingering = null;
      this.shown = null;
      this.item.hide();
    }, LINGER_MS);
  }
}
