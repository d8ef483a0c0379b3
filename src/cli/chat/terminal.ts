/** `chat` for a person: a prompt, streamed answers, /clear and /exit; Ctrl-C stops an answer. */
import { createInterface, type Interface } from 'node:readline';
import type { LanguageModel } from '../../engine';
import type { ChatMessage, SamplingSettings } from '../../protocol/control';
import { describeThrown } from '../../text/errors';
import type { CommandContext } from '../context';
import { EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_OK } from '../exit';
import { onInterrupt } from '../interrupt';
import type { OutputStream } from '../output';
import { answer } from './answer';

export interface ConversationOptions {
  system?: string;
  sampling: SamplingSettings;
}

/** Where a person types. */
export type InputStream = NodeJS.ReadableStream & { isTTY?: boolean };

/**
 * Talks until /exit, Ctrl-D or Ctrl-C at the prompt. Where `input` is not a terminal every line is a question, no prompt is
 * shown, and the exit code is 1 if a question could not be answered.
 */
export async function converse(
  context: CommandContext,
  model: LanguageModel,
  options: ConversationOptions,
  input: InputStream,
  screen: OutputStream,
): Promise<number> {
  const conversation = new Conversation(context, model, options);
  const terminal = Boolean(input.isTTY && screen.isTTY);
  const lines = createInterface({ input, output: terminal ? screen : undefined, terminal, prompt: '> ' });
  const restore = onInterrupt(() => conversation.interrupt(lines));
  lines.on('SIGINT', () => conversation.interrupt(lines));
  if (terminal) {
    context.output.info(context.t('Type a question. /clear forgets the conversation, /exit ends it.'));
    lines.prompt();
  }
  try {
    for await (const line of lines) {
      if (!(await conversation.take(line.trim()))) break;
      if (terminal) lines.prompt();
    }
  } finally {
    restore();
    lines.close();
  }
  if (conversation.interrupted) return EXIT_INTERRUPTED;
  return conversation.failed && !terminal ? EXIT_FAILURE : EXIT_OK;
}

class Conversation {
  /** Ctrl-C was pressed while nothing was being answered. */
  interrupted = false;
  failed = false;
  private messages: ChatMessage[];
  private running: AbortController | null = null;

  constructor(
    private readonly context: CommandContext,
    private readonly model: LanguageModel,
    private readonly options: ConversationOptions,
  ) {
    this.messages = this.opening();
  }

  /** Handles a line; false to end. */
  async take(line: string): Promise<boolean> {
    const { output, t } = this.context;
    if (line === '') return true;
    if (line === '/exit' || line === '/quit') return false;
    if (line === '/clear') {
      this.messages = this.opening();
      output.info(t('The conversation is forgotten.'));
      return true;
    }
    await this.ask(line);
    return !this.interrupted;
  }

  interrupt(lines: Interface): void {
    if (this.running) {
      this.running.abort();
      return;
    }
    this.interrupted = true;
    lines.close();
  }

  private async ask(question: string): Promise<void> {
    const { output, t } = this.context;
    this.running = new AbortController();
    const messages: ChatMessage[] = [...this.messages, { role: 'user', content: question }];
    try {
      const { text, ...rest } = await answer(this.model, {
        messages,
        sampling: this.options.sampling,
        signal: this.running.signal,
        onText: (piece) => {
          if (!output.json) output.raw(piece);
        },
      });
      this.messages = [...messages, { role: 'assistant', content: text }];
      if (output.json) output.record({ text, ...rest });
      else output.raw('\n');
    } catch (error) {
      this.failed = true;
      output.error(t('Error:'), describeThrown(t, error));
    } finally {
      this.running = null;
    }
  }

  private opening(): ChatMessage[] {
    return this.options.system === undefined ? [] : [{ role: 'system', content: this.options.system }];
  }
}
