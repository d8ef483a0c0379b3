/** One answer of a model in a conversation, as a stream of text. */
import type { LanguageModel } from '../../engine';
import type { ChatMessage, ChatResult, SamplingSettings } from '../../protocol/control';
import { GlmError } from '../../protocol/errors';

export interface AnswerRequest {
  messages: readonly ChatMessage[];
  sampling: SamplingSettings;
  signal: AbortSignal;
  /** Called with what is to be appended. The `text` of the result is authoritative. */
  onText: (text: string) => void;
}

/** Throws GlmError `chat.tooLong` where the conversation leaves no room for an answer. */
export async function answer(model: LanguageModel, request: AnswerRequest): Promise<ChatResult> {
  const { template } = await model.bundle();
  const prompt = template.encodePrompt(request.messages);
  const room = model.maxLength - prompt.length;
  if (room < 1) throw new GlmError('chat.tooLong', { tokens: prompt.length, limit: model.maxLength });
  const stream = new TextStream((ids) => template.decodeAnswer(ids), request.onText);
  const started = performance.now();
  const { outputIds, finishReason } = await model.generate(prompt, {
    sampling: { ...request.sampling, max_new_tokens: Math.min(request.sampling.max_new_tokens, room) },
    stopIds: template.stopIds,
    signal: request.signal,
    onToken: (id) => stream.push(id),
  });
  const seconds = (performance.now() - started) / 1000;
  const text = template.decodeAnswer(outputIds);
  stream.finish(text);
  return {
    text,
    finish_reason: finishReason,
    prompt_tokens: prompt.length,
    completion_tokens: outputIds.length,
    tokens_per_second: seconds > 0 ? outputIds.length / seconds : 0,
  };
}

/** Turns ids into pieces of text that never end inside a character and never have to be taken back. */
export class TextStream {
  private readonly ids: number[] = [];
  private sent = '';

  constructor(
    private readonly decode: (ids: readonly number[]) => string,
    private readonly write: (text: string) => void,
  ) {}

  push(id: number): void {
    this.ids.push(id);
    const text = this.decode(this.ids);
    // A character of several tokens shows as U+FFFD until its last byte is there.
    this.send(text.replace(/\uFFFD+$/, ''));
  }

  /** @param text the whole answer */
  finish(text: string): void {
    this.send(text);
  }

  private send(text: string): void {
    if (text.length <= this.sent.length || !text.startsWith(this.sent)) return;
    this.write(text.slice(this.sent.length));
    this.sent = text;
  }
}
