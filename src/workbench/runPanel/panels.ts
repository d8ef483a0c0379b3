/** The open run panels, one per run; restored after a window reload. */
import * as vscode from 'vscode';
import { Disposable, toDisposable } from '../../host/lifecycle';
import { RUN_PANEL } from '../../host/names';
import type { RunFolder } from '../../host/runs/runFolder';
import type { Services } from '../../host/services';
import { webviewOptions } from '../html';
import { RunPanel } from './runPanel';

export class RunPanels extends Disposable implements vscode.WebviewPanelSerializer {
  private readonly panels = new Map<string, RunPanel>();

  constructor(private readonly services: Services) {
    super();
    this._register(vscode.window.registerWebviewPanelSerializer(RUN_PANEL, this));
    this._register(toDisposable(() => this.panels.forEach((panel) => panel.dispose())));
  }

  open(run: RunFolder): void {
    const shown = this.panels.get(run.directory);
    if (shown) {
      shown.panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      RUN_PANEL,
      run.name,
      vscode.ViewColumn.Active,
      webviewOptions(this.services.context.extensionUri),
    );
    this.adopt(run, panel);
  }

  close(run: RunFolder): void {
    this.panels.get(run.directory)?.panel.dispose();
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const directory = (state as { directory?: unknown } | undefined)?.directory;
    if (typeof directory !== 'string') {
      panel.dispose();
      return;
    }
    this.adopt(this.services.runs.add(directory), panel);
  }

  private adopt(run: RunFolder, panel: vscode.WebviewPanel): void {
    const made = new RunPanel(this.services, run, panel);
    this.panels.set(run.directory, made);
    panel.onDidDispose(() => {
      this.panels.delete(run.directory);
      made.dispose();
    });
  }
}
