/** Prompt format and label rules of ChatGLM2: numbered rounds of question and answer in plain text. */
import type { Message, ToolDescription, TrainingRecord } from '../../dataset/types';
import type { GlmTokenizer } from '../glmTokenizer';
import type { ChatTemplate, DropReason, EncodedSample, EncodeOptions, StreamDecoder } from '../types';
import { AnswerCleaner, decodeWith } from './answerText';
import { trainedFlags, withTools } from './conversation';
import { encodeText, encodeTokens } from './plainRecords';
import { contextSegment, fitConversation, type Segment } from './segments';

/** One question and its answer; the last round of a prompt has no answer yet. */
interface Round {
  question: string;
  answer: string | null;
  trained: boolean;
}

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
    const rounds = toRounds(withTools(messages, tools), false);
    if (rounds.at(-1)?.answer !== null) rounds.push({ question: '', answer: null, trained: false });
    const text = rounds.map((round, index) => roundText(round, index) + (round.answer ?? '')).join('');
    return [...this.prefix, ...this.tokenizer.encode(text)];
  }

  encodeRecord(record: TrainingRecord, options: EncodeOptions): EncodedSample | { dropped: DropReason } {
    const { eosId } = this.tokenizer;
    switch (record.kind) {
      case 'text':
        return encodeText(this.prefix, this.tokenizer.encode(record.text), eosId, options.maxLength);
      case 'tokens':
        return encodeTokens(record, this.vocabSize, options.maxLength);
      case 'conversation': {
        const rounds = toRounds(withTools(record.messages, record.tools), options.maskHistory);
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
    let context = '';
    for (const [index, round] of rounds.entries()) {
      context += roundText(round, index);
      if (!round.trained || round.answer === null) {
        context += round.answer ?? '';
        continue;
      }
      segments.push(this.contextOf(context, segments.length === 0));
      const answer = this.tokenizer.encode(round.answer);
      segments.push({ ids: answer, labels: answer, shortest: 1 });
      context = '';
    }
    return segments;
  }

  private contextOf(text: string, isFirst: boolean): Segment {
    if (isFirst) return contextSegment([...this.prefix, ...this.tokenizer.encode(text)]);
    const segment = contextSegment(this.tokenizer.encodeContinuation(text));
    // The format has no end token between rounds, yet the answer before must learn to end here.
    segment.labels[0] = this.tokenizer.eosId;
    return segment;
  }
}

function roundText(round: Round, index: number): string {
  return `${index > 0 ? '\n\n' : ''}[Round ${index + 1}]\n\n问：${round.question}\n\n答：`;
}

/**
 * Messages as rounds. ChatGLM2 knows only questions and answers: system texts and tool results join the question that
 * follows them, an answer's metadata becomes its first line.
 */
function toRounds(messages: readonly Message[], maskHistory: boolean): Round[] {
  const flags = trainedFlags(messages, maskHistory);
  const rounds: Round[] = [];
  let question: string[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'assistant') {
      question.push(message.content);
      continue;
    }
    const answer = message.metadata ? `${message.metadata}\n${message.content}` : message.content;
    rounds.push({ question: question.join('\n\n'), answer, trained: flags[index] });
    question = [];
  }
  if (question.length > 0) rounds.push({ question: question.join('\n\n'), answer: null, trained: false });
  return rounds;
}
