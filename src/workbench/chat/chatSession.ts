/** The conversation and the model that answers it. Lives as long as the extension; the view only shows it. */
import * as vscode from 'vscode';
import { ChatClient } from '../../host/chat/chatClient';
import { errorText } from '../../host/failures';
import { Disposable } from '../../host/lifecycle';
import { CONFIGURATION } from '../../host/names';
import type { Services } from '../../host/services';
import { samplingSettings } from '../../host/settings';
import { t } from '../../host/translate';
import { requireTrust } from '../../host/trust';
import type { ChatMessage, ChatResult } from '../../protocol/control';
import { toErrorData } from '../../protocol/errors';
import type { ChatState, ChatStatus } from '../../protocol/webview';
import { formatNumber } from '../format';
import { findModels } from '../models';
import { withoutUnanswered } from './conversationRow';
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

  private readonly client: ChatClient;
  private choices: ChatChoice[] = [];
  private selected: ChatChoice | null = null;
  /** Id of the choice the process has loaded. */
  private loaded: string | null = null;
  private messages: ChatMessage[] = [];
  private status: ChatStatus = { kind: 'idle' };
  private footer = '';
  private answering: AbortController | null = null;
  /** Counts conversations: what is still answered in an earlier one is not shown. */
  private conversation = 0;

  constructor(private readonly services: Services) {
    super();
    this.client = this._register(
      new ChatClient(
        () => services.runtimes.cli(['chat', '--stdio']),
        (line) => services.log.debug(`chat: ${line}`),
      ),
    );
    this._register(services.runs.onDidChangeRun((run) => run.phase === 'done' && void this.refresh()));
    this._register(services.runs.onDidChangeList(() => void this.refresh()));
    this._register(services.engine.onDidChange(() => void this.checkEngine()));
    this._register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(CONFIGURATION)) this.changed.fire();
      }),
    );
  }

  get state(): ChatState {
    return {
      targets: this.choices.map(({ id, label }) => ({ id, label })),
      selected: this.selected?.id ?? null,
      messages: this.messages,
      status: this.status,
      sampling: samplingSettings(),
      footer: this.footer,
    };
  }

  /** Looks again for models and runs, and whether the engine is there. */
  async refresh(): Promise<void> {
    const models = await findModels(this.services.context.extensionUri);
    const tuned = this.services.runs.runs.map(runChoice).filter((choice) => choice !== null);
    this.choices = [...tuned, ...models.map(modelChoice)];
    const wanted = this.selected?.id ?? this.services.context.workspaceState.get<string>(SELECTED_KEY);
    this.selected = this.choices.find(({ id }) => id === wanted) ?? this.choices[0] ?? null;
    await this.checkEngine();
  }

  /** Chooses a model; it is loaded with the next message. The conversation stays, so that answers can be compared. */
  async select(id: string): Promise<void> {
    if (!this.choices.some((choice) => choice.id === id)) await this.refresh();
    const choice = this.choices.find((candidate) => candidate.id === id);
    if (!choice || choice.id === this.selected?.id) return;
    this.stop();
    this.selected = choice;
    await this.services.context.workspaceState.update(SELECTED_KEY, id);
    if (this.status.kind === 'error') this.status = { kind: 'idle' };
    this.changed.fire();
  }

  clear(): void {
    this.stop();
    this.conversation++;
    this.messages = [];
    this.footer = '';
    if (this.status.kind === 'error') this.status = { kind: 'idle' };
    this.changed.fire();
  }

  /** Ends the answer with what there is of it. */
  stop(): void {
    this.answering?.abort();
  }

  async send(text: string): Promise<void> {
    if (this.answering || !this.selected) return;
    requireTrust();
    if (!(await this.services.engine.isInstalled())) {
      await this.checkEngine();
      return;
    }
    const abort = new AbortController();
    this.answering = abort;
    this.messages = [...this.messages, { role: 'user', content: text }];
    this.footer = '';
    try {
      await this.load(this.selected, abort.signal);
      if (!abort.signal.aborted) await this.answer(abort.signal);
      this.setStatus({ kind: 'idle' });
    } catch (error) {
      this.services.log.error(error instanceof Error ? error : String(error));
      if (!this.client.running) this.loaded = null;
      const { message, remedy } = errorText(toErrorData(error));
      this.setStatus({ kind: 'error', text: message, remedy });
    } finally {
      this.answering = null;
    }
  }

  private async load(choice: ChatChoice, signal: AbortSignal): Promise<void> {
    if (this.client.running && this.loaded === choice.id) return;
    this.setStatus({ kind: 'working', text: t('Loading {name}…', { name: choice.label }) });
    this.loaded = null;
    await this.client.load({ model: choice.model, adapter: choice.adapter }, choice.dtype);
    this.loaded = choice.id;
    if (signal.aborted) this.setStatus({ kind: 'idle' });
  }

  private async answer(signal: AbortSignal): Promise<void> {
    const question = this.messages;
    const { conversation } = this;
    const forgotten = (): boolean => this.conversation !== conversation;
    this.setStatus({ kind: 'working', text: t('Thinking…') });
    let text = '';
    const grow = (piece: string): void => {
      if (forgotten()) return;
      const first = text === '';
      text += piece;
      this.messages = [...question, { role: 'assistant', content: text }];
      if (first) this.setStatus({ kind: 'answering' });
      else this.token.fire(piece);
    };
    const result = await this.client.chat(withoutUnanswered(question), samplingSettings(), grow, signal);
    if (forgotten()) return;
    this.messages = [...question, { role: 'assistant', content: result.text }];
    this.footer = footer(result);
  }

  private async checkEngine(): Promise<void> {
    const installed = await this.services.engine.isInstalled();
    if (!installed) {
      const text = t('Chatting needs the engine, which is not installed yet. It is downloaded once.');
      this.status = { kind: 'engineMissing', text };
    } else if (this.status.kind === 'engineMissing') {
      this.status = { kind: 'idle' };
    }
    this.changed.fire();
  }

  private setStatus(status: ChatStatus): void {
    this.status = status;
    this.changed.fire();
  }
}

function footer(result: ChatResult): string {
  const language = vscode.env.language;
  const parts = [
    t('{rate} tokens/s', { rate: formatNumber(result.tokens_per_second, language) }),
    t('{count} tokens', { count: result.completion_tokens.toLocaleString(language) }),
  ];
  if (result.finish_reason === 'length') parts.push(t('cut at the longest answer'));
  return parts.join(' · ');
}
