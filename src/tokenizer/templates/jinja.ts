/** Prompt format of checkpoints that bring their own chat template. */
import type { Message, ToolDescription, TrainingRecord } from '../../dataset/types';
import type { ByteLevelTokenizer } from '../bytelevel/byteLevelTokenizer';
import type { JinjaChatTemplate } from '../jinja/chatTemplate';
import { messageOf, type Marked } from '../jinja/marked';
import type {
  ChatTemplate,
  DropReason,
  EncodedSample,
  EncodeOptions,
  RowLayout,
  StreamDecoder,
} from '../types';
import { decodeWith, TrimmedStream } from './answerText';
import { ChatGlm3AnswerStream } from './chatglm3Answer';
import { roundStarts, trainedFlags, untrainedRounds, withoutRounds } from './conversation';
import { encodeMarked, RenderedLabels, type LabelledRow } from './jinjaLayout';
import { layoutText, layoutTokens } from './plainRecords';
import { fitConversation, toSample } from './segments';

/** Tokens that a Jinja template's rows are closed and stopped with. */
export interface JinjaStops {
  /** Ids that end an answer, the end of text first. */
  stopIds: readonly number[];
  /** Ends a conversation whose template writes nothing after an answer. */
  closingId: number;
}

export class JinjaTemplate implements ChatTemplate {
  readonly stopIds: readonly number[];
  private readonly closingId: number;
  private prompt: string | null = null;

  /** @param vocabSize rows of the model's embedding, to check pre-tokenised rows */
  constructor(
    private readonly tokenizer: ByteLevelTokenizer,
    private readonly template: JinjaChatTemplate,
    stops: JinjaStops,
    private readonly vocabSize: number,
  ) {
    this.stopIds = stops.stopIds;
    this.closingId = stops.closingId;
  }

  encodePrompt(messages: readonly Message[], tools: readonly ToolDescription[] = []): number[] {
    return encodeMarked(this.tokenizer, this.template.render(messages, tools, true)).ids;
  }

  encodeRecord(record: TrainingRecord, options: EncodeOptions): EncodedSample | { dropped: DropReason } {
    return toSample(this.layoutRecord(record, options));
  }

  layoutRecord(record: TrainingRecord, options: EncodeOptions): RowLayout | { dropped: DropReason } {
    switch (record.kind) {
      case 'text': {
        const ids = this.tokenizer.encode(record.text);
        return layoutText(this.tokenizer.prefix, ids, this.stopIds[0], options.maxLength);
      }
      case 'tokens':
        return layoutTokens(record, this.vocabSize, options.maxLength);
      case 'conversation':
        return this.layoutConversation(record.messages, record.tools ?? [], options);
    }
  }

  decodeAnswer(ids: readonly number[]): string {
    const stop = ids.findIndex((id) => this.stopIds.includes(id));
    const answer = stop < 0 ? ids : ids.slice(0, stop);
    const assistantId = this.roleLineToken();
    const from = assistantId === null ? 0 : answer.lastIndexOf(assistantId) + 1;
    return decodeWith(this.streamAnswer(), answer.slice(from));
  }

  streamAnswer(): StreamDecoder {
    const assistantId = this.roleLineToken();
    return assistantId === null
      ? new TrimmedStream(this.tokenizer.stream(), this.stopIds)
      : new ChatGlm3AnswerStream(this.tokenizer, this.stopIds, assistantId);
  }

  private layoutConversation(
    messages: readonly Message[],
    tools: readonly ToolDescription[],
    { maskHistory, maxLength }: EncodeOptions,
  ): RowLayout | { dropped: DropReason } {
    const flags = trainedFlags(messages, maskHistory);
    const starts = roundStarts(messages);
    const label = (skipped: number): LabelledRow => {
      const kept = withoutRounds([...messages.keys()], starts, skipped);
      const shown = kept.map((index) => messages[index]);
      const rendered = this.template.render(shown, tools, false);
      const labels = new RenderedLabels(rendered, encodeMarked(this.tokenizer, rendered), shown, {
        stopIds: this.stopIds,
        controlIds: new Set(this.tokenizer.specialTokens.values()),
        generationPrompt: this.generationPrompt(),
        trained: kept.map((index) => flags[index]),
        indices: kept,
      });
      return labels.row();
    };
    const whole = label(0);
    const firstTrained = messages.findIndex((message, index) => message.role === 'assistant' && flags[index]);
    return fitConversation(
      (skipped) => (skipped === 0 ? whole : label(skipped)).segments,
      starts.length,
      untrainedRounds(starts, firstTrained),
      whole.closingId ?? this.closingId,
      maxLength,
    );
  }

  /** What the template writes to ask for an answer: what a prompt has more than the conversation, or what both end with. */
  private generationPrompt(): string {
    if (this.prompt !== null) return this.prompt;
    const question: Message[] = [{ role: 'user', content: '?' }];
    const asked = this.template.render(question, [], true);
    const told = this.template.render(question, [], false);
    this.prompt =
      asked.text.startsWith(told.text) && asked.length > told.length
        ? asked.text.slice(told.length)
        : asked.text.slice(endOfMessages(asked));
    return this.prompt;
  }

  /** `<|assistant|>` where the model writes the role line after it itself, as GLM does; null where the prompt has all of it. */
  private roleLineToken(): number | null {
    const id = this.tokenizer.special('<|assistant|>');
    return id >= 0 && this.generationPrompt().endsWith('<|assistant|>') ? id : null;
  }
}

function endOfMessages({ marks, length }: Marked): number {
  let end = length;
  while (end > 0 && messageOf(marks.charCodeAt(end - 1)) === null) end--;
  return end;
}
