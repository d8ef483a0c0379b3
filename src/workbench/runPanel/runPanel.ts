/** One run in an editor tab. Hidden panels are torn down by VS Code and come back by replaying the run's events. */
import path from 'node:path';
import * as vscode from 'vscode';
import { Disposable, toDisposable } from '../../host/lifecycle';
import { COMMANDS } from '../../host/names';
import type { RunFolder } from '../../host/runs/runFolder';
import type { Services } from '../../host/services';
import { t } from '../../host/translate';
import { LOG_FILE, RUN_FILE } from '../../protocol/runDirectory';
import {
  isRunViewMessage,
  type RunAction,
  type RunHostMessage,
  type RunViewMessage,
} from '../../protocol/webview';
import { Channel } from '../channel';
import { webviewHtml, webviewOptions } from '../html';
import { reveal } from '../runs/reveal';
import { runHeader } from './header';
import { PointFeed } from './pointFeed';
import { runStrings } from './strings';

const HEADER_MS = 200;

export class RunPanel extends Disposable {
  private readonly channel: Channel<RunViewMessage, RunHostMessage>;
  private feed: PointFeed | null = null;
  private headerTimer: NodeJS.Timeout | null = null;

  constructor(
    services: Services,
    readonly run: RunFolder,
    readonly panel: vscode.WebviewPanel,
  ) {
    super();
    const { extensionUri } = services.context;
    panel.webview.options = webviewOptions(extensionUri);
    panel.iconPath = {
      light: vscode.Uri.joinPath(extensionUri, 'media', 'icons', 'run-light.svg'),
      dark: vscode.Uri.joinPath(extensionUri, 'media', 'icons', 'run-dark.svg'),
    };
    this.channel = this._register(
      new Channel<RunViewMessage, RunHostMessage>(
        panel.webview,
        {
          isMessage: isRunViewMessage,
          ready: () => this.replay(),
          receive: (message) => this.act(message.method),
        },
        (error) => services.failures.show(error),
      ),
    );
    this._register(services.runs.onDidChangeRun((changed) => changed === run && this.scheduleHeader()));
    this._register(toDisposable(() => this.feed?.dispose()));
    this._register(toDisposable(() => clearTimeout(this.headerTimer ?? undefined)));
    panel.webview.html = webviewHtml(panel.webview, extensionUri, 'runs', run.name);
    panel.title = run.name;
  }

  private replay(): void {
    this.channel.send({ type: 'init', strings: runStrings(), directory: this.run.directory });
    this.sendHeader();
    this.feed?.dispose();
    this.feed = new PointFeed(this.run.directory, (message) => this.channel.send(message));
  }

  private scheduleHeader(): void {
    this.headerTimer ??= setTimeout(() => {
      this.headerTimer = null;
      this.sendHeader();
    }, HEADER_MS);
  }

  private sendHeader(): void {
    if (this.isDisposed) return;
    this.panel.title = this.run.name;
    this.channel.send({ type: 'header', header: runHeader(t, this.run, vscode.env.language) });
  }

  private async act(action: RunAction): Promise<void> {
    switch (action) {
      case 'stop':
        await vscode.commands.executeCommand(COMMANDS.stopRun, this.run);
        break;
      case 'resume':
        await vscode.commands.executeCommand(COMMANDS.resumeRun, this.run);
        break;
      case 'chat':
        await vscode.commands.executeCommand(COMMANDS.chatWithRun, this.run);
        break;
      case 'openRunFile':
        await this.openBeside(RUN_FILE);
        break;
      case 'openLog':
        await this.openBeside(LOG_FILE);
        break;
      case 'revealOutput':
        await reveal(this.run.output ?? this.run.directory);
        break;
    }
  }

  private async openBeside(name: string): Promise<void> {
    const uri = vscode.Uri.file(path.join(this.run.directory, name));
    await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.Beside, preview: true });
  }
}
