/** A conversation with one model at a time: what is said, what is being done about it, and what went wrong. Free of `vscode`. */
import type { ChatClient } from '../../host/chat/chatClient';
import type { ChatMessage, ChatResult, SamplingSettings } from '../../protocol/control';
import type { ChatStatus } from '../../protocol/webview';
import type { ErrorText } from '../../text/errors';
import type { Translate } from '../../text/translate';
import { formatNumber } from '../format';
import { withoutUnanswered } from './conversationRow';
import type { ChatChoice } from './targets';

/** What a conversation needs of its surroundings. */
export interface ConversationHost {
  client: Pick<ChatClient, 'load' | 'chat' | 'running'>;
  t: Translate;
  /** Of numbers. */
  language: string;
  sampling: () => SamplingSettings;
  engineReady: () => Promise<boolean>;
  /** Anything but a growing answer changed. */
  changed(): void;
  /** A piece was added to the answer. */
  grew(piece: string): void;
  /** Notes what was thrown and puts it into words. */
  explain(error: unknown): ErrorText;
}

export class Conversation {
  messages: ChatMessage[] = [];
  status: ChatStatus = { kind: 'idle' };
  footer = '';
  /** Id of the choice the process has loaded. */
  private loaded: string | null = null;
  private answering: AbortController | null = null;
  /** Counts conversations: what is still answered in an earlier one is not shown. */
  private round = 0;

  constructor(private readonly host: ConversationHost) {}

  /** Asks `choice`, which is loaded first where another one was. Ignored while an answer is being written. */
  async send(text: string, choice: ChatChoice): Promise<void> {
    if (this.answering) return;
    const abort = new AbortController();
    this.answering = abort;
    try {
      if (!(await this.checkEngine())) return;
      this.messages = [...this.messages, { role: 'user', content: text }];
      this.footer = '';
      await this.load(choice, abort.signal);
      if (!abort.signal.aborted) await this.answer(abort.signal);
      this.setStatus({ kind: 'idle' });
    } catch (error) {
      if (!this.host.client.running) this.loaded = null;
      const { message, remedy } = this.host.explain(error);
      this.setStatus({ kind: 'error', text: message, remedy });
    } finally {
      this.answering = null;
    }
  }

  /** Ends the answer with what there is of it. */
  stop(): void {
    this.answering?.abort();
  }

  clear(): void {
    this.stop();
    this.round += 1;
    this.messages = [];
    this.footer = '';
    this.forgetError();
  }

  /** What went wrong says nothing about what comes next. */
  forgetError(): void {
    if (this.status.kind === 'error') this.status = { kind: 'idle' };
    this.host.changed();
  }

  /** Looks whether the engine is there, and says so where it is not. */
  async checkEngine(): Promise<boolean> {
    const { t, engineReady } = this.host;
    const ready = await engineReady();
    if (!ready) {
      const text = t('Chatting needs the engine, which is not installed yet. It is downloaded once.');
      this.status = { kind: 'engineMissing', text };
    } else if (this.status.kind === 'engineMissing') {
      this.status = { kind: 'idle' };
    }
    this.host.changed();
    return ready;
  }

  private async load(choice: ChatChoice, signal: AbortSignal): Promise<void> {
    const { client, t } = this.host;
    if (client.running && this.loaded === choice.id) return;
    this.setStatus({ kind: 'working', text: t('Loading {name}…', { name: choice.label }) });
    this.loaded = null;
    const { id, label, ...model } = choice;
    await client.load(model);
    this.loaded = id;
    if (signal.aborted) this.setStatus({ kind: 'idle' });
  }

  private async answer(signal: AbortSignal): Promise<void> {
    const { client, t, sampling } = this.host;
    const question = this.messages;
    const { round } = this;
    const forgotten = (): boolean => this.round !== round;
    this.setStatus({ kind: 'working', text: t('Thinking…') });
    let text = '';
    const grow = (piece: string): void => {
      if (forgotten()) return;
      const first = text === '';
      text += piece;
      this.messages = [...question, { role: 'assistant', content: text }];
      if (first) this.setStatus({ kind: 'answering' });
      else this.host.grew(piece);
    };
    const result = await client.chat(withoutUnanswered(question), sampling(), grow, signal);
    if (forgotten()) return;
    // An answer that was stopped before it began is none.
    const begun = result.text !== '' || result.finish_reason !== 'cancelled';
    this.messages = begun ? [...question, { role: 'assistant', content: result.text }] : question;
    this.footer = footer(t, this.host.language, result);
  }

  private setStatus(status: ChatStatus): void {
    this.status = status;
    this.host.changed();
  }
}

function footer(t: Translate, language: string, result: ChatResult): string {
  const parts = [
    t('{rate} tokens/s', { rate: formatNumber(result.tokens_per_second, language) }),
    t('{count} tokens', { count: result.completion_tokens.toLocaleString(language) }),
  ];
  if (result.finish_reason === 'length') parts.push(t('cut at the longest answer'));
  return parts.join(' · ');
}
