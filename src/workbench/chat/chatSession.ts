/** The chat of this window: which models there are, which one is chosen, and the conversation. The view only shows it. */
import * as vscode from 'vscode';
import { ChatClient } from '../../host/chat/chatClient';
import { errorText } from '../../host/failures';
import { Disposable } from '../../host/lifecycle';
import { CONFIGURATION } from '../../host/names';
import type { Services } from '../../host/services';
import { samplingSettings } from '../../host/settings';
import { t } from '../../host/translate';
import { requireTrust } from '../../host/trust';
import { toErrorData } from '../../protocol/errors';
import type { ChatState } from '../../protocol/webview';
import { findModels } from '../models';
import { Conversation } from './conversation';
import { modelChoice, runChoice, type ChatChoice } from './targets';

/** Where the chosen model is remembered, per workspace. */
const SELECTED_KEY = 'glmtune.chat.selected';

export class ChatSession extends Disposable {
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  private readonly token = this._register(new vscode.EventEmitter<string>());
  /** Anything but a growing answer changed. */
  readonly onDidChange = this.changed.event;
  /** A piece was added to the answer. */
  readonly onToken = this.token.event;

  private readonly conversation: Conversation;
  private choices: ChatChoice[] = [];
  private selected: ChatChoice | null = null;

  constructor(private readonly services: Services) {
    super();
    const client = this._register(
      new ChatClient(
        async () => {
          await services.engine.sayWherePortable();
          return services.runtimes.cli(['chat', '--stdio']);
        },
        (line) => services.log.debug(`chat: ${line}`),
      ),
    );
    this.conversation = new Conversation({
      client,
      t,
      language: vscode.env.language,
      sampling: samplingSettings,
      engineReady: () => services.engine.isReady(),
      changed: () => this.changed.fire(),
      grew: (piece) => this.token.fire(piece),
      explain: (error) => {
        services.log.error(error instanceof Error ? error : String(error));
        return errorText(toErrorData(error));
      },
    });
    this._register(services.runs.onDidChangeRun((run) => run.phase === 'done' && void this.refresh()));
    this._register(services.runs.onDidChangeList(() => void this.refresh()));
    this._register(services.engine.onDidChange(() => void this.conversation.checkEngine()));
    this._register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(CONFIGURATION)) this.changed.fire();
      }),
    );
  }

  get state(): ChatState {
    const { messages, status, footer } = this.conversation;
    return {
      targets: this.choices.map(({ id, label }) => ({ id, label })),
      selected: this.selected?.id ?? null,
      messages,
      status,
      sampling: samplingSettings(),
      footer,
    };
  }

  /** Looks again for models and runs, and whether the engine is there. */
  async refresh(): Promise<void> {
    const models = await findModels(this.services.context.extensionUri);
    const tuned = this.services.runs.runs.map(runChoice).filter((choice) => choice !== null);
    this.choices = [...tuned, ...models.map(modelChoice)];
    const wanted = this.selected?.id ?? this.services.context.workspaceState.get<string>(SELECTED_KEY);
    this.selected = this.choices.find(({ id }) => id === wanted) ?? this.choices[0] ?? null;
    await this.conversation.checkEngine();
  }

  /** Chooses a model; it is loaded with the next message. The conversation stays, so that answers can be compared. */
  async select(id: string): Promise<void> {
    if (!this.choices.some((choice) => choice.id === id)) await this.refresh();
    const choice = this.choices.find((candidate) => candidate.id === id);
    if (!choice || choice.id === this.selected?.id) return;
    this.stop();
    this.selected = choice;
    await this.services.context.workspaceState.update(SELECTED_KEY, id);
    this.conversation.forgetError();
  }

  clear(): void {
    this.conversation.clear();
  }

  /** Ends the answer with what there is of it. */
  stop(): void {
    this.conversation.stop();
  }

  async send(text: string): Promise<void> {
    if (!this.selected) return;
    requireTrust();
    await this.conversation.send(text, this.selected);
  }
}
