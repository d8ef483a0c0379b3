/** The Chat view in the side bar. */
import * as vscode from 'vscode';
import { Disposable } from '../../host/lifecycle';
import { COMMANDS, VIEWS } from '../../host/names';
import type { RunFolder } from '../../host/runs/runFolder';
import type { Services } from '../../host/services';
import { updateSampling } from '../../host/settings';
import { t } from '../../host/translate';
import {
  isChatViewMessage,
  type ChatAction,
  type ChatHostMessage,
  type ChatViewMessage,
} from '../../protocol/webview';
import { Channel } from '../channel';
import { webviewHtml, webviewOptions } from '../html';
import { ChatSession } from './chatSession';
import { saveConversation } from './saveConversation';
import { chatStrings } from './strings';

export class ChatView extends Disposable implements vscode.WebviewViewProvider {
  private readonly session: ChatSession;
  private channel: Channel<ChatViewMessage, ChatHostMessage> | null = null;
  private focusWhenReady = false;

  constructor(private readonly services: Services) {
    super();
    this.session = this._register(new ChatSession(services));
    this._register(vscode.window.registerWebviewViewProvider(VIEWS.chat, this));
    this._register(this.session.onDidChange(() => this.sendState()));
    this._register(this.session.onToken((text) => this.channel?.send({ type: 'token', text })));
    this._register(
      vscode.commands.registerCommand(COMMANDS.newChat, () =>
        services.failures.guard(async () => {
          this.session.clear();
          await this.show();
        }),
      ),
    );
    this._register(
      vscode.commands.registerCommand(COMMANDS.saveChat, () =>
        services.failures.guard(() => saveConversation(this.session.state.messages)),
      ),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const { extensionUri } = this.services.context;
    view.webview.options = webviewOptions(extensionUri);
    const channel = new Channel<ChatViewMessage, ChatHostMessage>(
      view.webview,
      {
        isMessage: isChatViewMessage,
        ready: () => this.replay(),
        receive: (message) => this.receive(message),
      },
      (error) => this.services.failures.show(error),
    );
    this.channel = channel;
    view.onDidDispose(() => {
      channel.dispose();
      if (this.channel === channel) this.channel = null;
    });
    view.onDidChangeVisibility(() => view.visible && void this.session.refresh());
    view.webview.html = webviewHtml(view.webview, extensionUri, 'chat', t('Chat'));
  }

  /** Opens the view with a run's result chosen. */
  async chatWith(run: RunFolder): Promise<void> {
    await this.session.select(run.directory);
    await this.show();
  }

  private async show(): Promise<void> {
    this.focusWhenReady = true;
    await vscode.commands.executeCommand(`${VIEWS.chat}.focus`);
    if (this.channel?.isReady) this.focus();
  }

  private focus(): void {
    this.focusWhenReady = false;
    this.channel?.send({ type: 'focus' });
  }

  private async replay(): Promise<void> {
    this.channel?.send({ type: 'init', strings: chatStrings() });
    this.sendState();
    await this.services.runs.scan();
    await this.session.refresh();
    if (this.focusWhenReady) this.focus();
  }

  private sendState(): void {
    this.channel?.send({ type: 'state', state: this.session.state });
  }

  private receive(message: Exclude<ChatViewMessage, { type: 'ready' }>): unknown {
    switch (message.type) {
      case 'send':
        return this.session.send(message.text);
      case 'select':
        return this.session.select(message.target);
      case 'sampling':
        return updateSampling(message.changes);
      case 'request':
        return this.act(message.method);
    }
  }

  private act(action: ChatAction): unknown {
    switch (action) {
      case 'installEngine':
        return this.services.engine.install();
      case 'stop':
        return this.session.stop();
    }
  }
}
