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
  const stream = template.streamAnswer();
  const show = (piece: string): void => {
    if (piece !== '') request.onText(piece);
  };
  const started = performance.now();
  const secondsSoFar = (): number => (performance.now() - started) / 1000;
  let firstToken: number | null = null;
  const { outputIds, finishReason } = await model.generate(prompt, {
    sampling: { ...request.sampling, max_new_tokens: Math.min(request.sampling.max_new_tokens, room) },
    stopIds: template.stopIds,
    signal: request.signal,
    onToken(id) {
      firstToken ??= secondsSoFar();
      show(stream.push(id));
    },
  });
  const seconds = secondsSoFar();
  show(stream.flush());
  return {
    text: template.decodeAnswer(outputIds),
    finish_reason: finishReason,
    prompt_tokens: prompt.length,
    completion_tokens: outputIds.length,
    tokens_per_second: seconds > 0 ? outputIds.length / seconds : 0,
    first_token_seconds: firstToken,
  };
}
