/** Prompt format and label rules of ChatGLM2: numbered rounds of question and answer in plain text. */
import type { Message, ToolDescription, TrainingRecord } from '../../dataset/types';
import type { GlmTokenizer } from '../glmTokenizer';
import type {
  ChatTemplate,
  DropReason,
  EncodedSample,
  EncodeOptions,
  RowLayout,
  StreamDecoder,
  TokenRun,
} from '../types';
import { AnswerCleaner, decodeWith } from './answerText';
import { withTools } from './conversation';
import { layoutText, layoutTokens } from './plainRecords';
import { toRounds, type Round } from './rounds';
import { addRun, contextSegment, fitConversation, toSample, type Segment } from './segments';
import { encodeParts, joinText, type TextPart } from './textParts';

export class ChatGlm2Template implements ChatTemplate {
  readonly stopIds: readonly number[];
  private readonly prefix: readonly number[];

  /** @param vocabSize rows of the model's embedding, to check pre-tokenised rows */
  constructor(
    private readonly tokenizer: GlmTokenizer,
    private readonly vocabSize: number,
  ) {
    this.stopIds = [tokenizer.eosId];
    this.prefix = [tokenizer.special('[gMASK]'), tokenizer.special('sop')];
  }

  encodePrompt(messages: readonly Message[], tools?: readonly ToolDescription[]): number[] {
    const rounds = toRounds(withTools(messages, tools), false, SEPARATOR);
    if (rounds.at(-1)?.answer !== null) rounds.push({ question: [], answer: null, trained: false });
    return [...this.prefix, ...this.tokenizer.encode(joinText(rounds.flatMap(roundWithAnswer)))];
  }

  encodeRecord(record: TrainingRecord, options: EncodeOptions): EncodedSample | { dropped: DropReason } {
    return toSample(this.layoutRecord(record, options));
  }

  layoutRecord(record: TrainingRecord, options: EncodeOptions): RowLayout | { dropped: DropReason } {
    const { eosId } = this.tokenizer;
    switch (record.kind) {
      case 'text':
        return layoutText(this.prefix, this.tokenizer.encode(record.text), eosId, options.maxLength);
      case 'tokens':
        return layoutTokens(record, this.vocabSize, options.maxLength);
      case 'conversation': {
        const rounds = toRounds(withTools(record.messages, record.tools), options.maskHistory, SEPARATOR);
        const render = (skipped: number): Segment[] => this.render(rounds.slice(skipped));
        const untrained = Math.max(
          0,
          rounds.findIndex((round) => round.trained),
        );
        return fitConversation(render, rounds.length, untrained, eosId, options.maxLength);
      }
    }
  }

  decodeAnswer(ids: readonly number[]): string {
    return decodeWith(this.streamAnswer(), ids);
  }

  streamAnswer(): StreamDecoder {
    const decoder = this.tokenizer.stream();
    const cleaner = new AnswerCleaner();
    let stopped = false;
    return {
      push: (id) => {
        stopped ||= this.stopIds.includes(id);
        return stopped ? '' : cleaner.push(decoder.push(id));
      },
      flush: () => cleaner.push(decoder.flush()) + cleaner.flush(),
    };
  }

  /**
   * Trained answers are tokenised by themselves, as the model writes them; everything between is one text. With only the last
   * answer trained this is THUDM's training script; further trained answers continue it as `stream_chat` continues its cache.
   */
  private render(rounds: readonly Round[]): Segment[] {
    const segments: Segment[] = [];
    let context: TextPart[] = [];
    for (const [index, round] of rounds.entries()) {
      if (!round.trained || round.answer === null) {
        context.push(...roundWithAnswer(round, index));
        continue;
      }
      context.push(...roundParts(round, index));
      segments.push(this.contextOf(context, segments.length === 0));
      const ids = this.tokenizer.encode(round.answer.text);
      const runs: TokenRun[] = [{ role: 'assistant', message: round.answer.message, length: ids.length }];
      segments.push({ ids, labels: ids, runs, shortest: 1 });
      context = [];
    }
    return segments;
  }

  private contextOf(parts: readonly TextPart[], isFirst: boolean): Segment {
    const { ids, runs } = encodeParts(parts, (text) =>
      this.tokenizer.align(text, { isContinuation: !isFirst }),
    );
    if (isFirst) {
      const all: TokenRun[] = [];
      addRun(all, 'control', null, this.prefix.length);
      for (const { role, message, length } of runs) addRun(all, role, message, length);
      return contextSegment([...this.prefix, ...ids], all);
    }
    const segment = contextSegment(ids, runs);
    // The format has no end token between rounds, yet the answer before must learn to end here.
    segment.labels[0] = this.tokenizer.eosId;
    return segment;
  }
}

/** Between the texts of one question. */
const SEPARATOR = '\n\n';

/** `[Round 1]\n\n问：…\n\n答：` */
function roundParts({ question, answer }: Round, index: number): TextPart[] {
  const asked = question[0]?.message ?? answer?.message ?? null;
  const head = `${index > 0 ? '\n\n' : ''}[Round ${index + 1}]\n\n问：`;
  return [
    { text: head, role: 'control', message: asked },
    ...question,
    { text: '\n\n答：', role: 'control', message: answer?.message ?? asked },
  ];
}

function roundWithAnswer(round: Round, index: number): TextPart[] {
  const parts = roundParts(round, index);
  return round.answer ? [...parts, round.answer] : parts;
}
