/** Prompt format and label rules of ChatGLM-6B: one context that is read in both directions, then one answer. */
import type { Message, ToolDescription, TrainingRecord } from '../../dataset/types';
import type { IceTokenizer } from '../ice/iceTokenizer';
import type {
  ChatTemplate,
  DropReason,
  EncodedSample,
  EncodeOptions,
  RowLayout,
  StreamDecoder,
  TokenRun,
} from '../types';
import { AnswerCleaner, decodeWith, HanPunctuation } from './answerText';
import { withTools } from './conversation';
import { layoutText, layoutTokens } from './plainRecords';
import { toRounds, type Round } from './rounds';
import { addRun, contextSegment, fitConversation, toSample, type Segment } from './segments';
import { encodeParts, joinText, type TextPart } from './textParts';

/** Between the texts of one question, as between question and answer. */
const SEPARATOR = '\n';

/**
 * A row is `context [gMASK] <sop> answer <eop>`. The model sees the whole context at once, so nothing in it can be learned
 * to be predicted: of a conversation **only one answer is trained**, the last one that asks for it. Earlier answers are
 * context (`contextTurns` counts those that asked to be trained), later turns are left out, as the answer must not see them.
 * Who wants every round trained writes one record a round, as THUDM's data files do.
 *
 * Both revisions of the vocabulary use this format; their ids differ by the tokenizer alone.
 */
export class ChatGlmTemplate implements ChatTemplate {
  readonly stopIds: readonly number[];
  private readonly gmaskId: number;
  private readonly startId: number;
  private readonly stopId: number;

  /** @param vocabSize rows of the model's embedding, to check pre-tokenised rows */
  constructor(
    private readonly tokenizer: IceTokenizer,
    private readonly vocabSize: number,
  ) {
    this.gmaskId = tokenizer.special('[gMASK]');
    this.startId = tokenizer.special('<sop>');
    this.stopId = tokenizer.special('<eop>');
    this.stopIds = [this.stopId];
  }

  encodePrompt(messages: readonly Message[], tools?: readonly ToolDescription[]): number[] {
    const rounds = toRounds(withTools(messages, tools), false, SEPARATOR);
    if (rounds.at(-1)?.answer !== null) rounds.push({ question: [], answer: null, trained: false });
    const text = joinText(promptParts(rounds, rounds.length > 1));
    return [...this.tokenizer.encode(text), this.gmaskId, this.startId];
  }

  encodeRecord(record: TrainingRecord, options: EncodeOptions): EncodedSample | { dropped: DropReason } {
    return toSample(this.layoutRecord(record, options));
  }

  layoutRecord(record: TrainingRecord, options: EncodeOptions): RowLayout | { dropped: DropReason } {
    switch (record.kind) {
      case 'text': {
        const prefix = [this.gmaskId, this.startId];
        return layoutText(prefix, this.tokenizer.encode(record.text), this.stopId, options.maxLength);
      }
      case 'tokens':
        return layoutTokens(record, this.vocabSize, options.maxLength);
      case 'conversation':
        return this.layoutConversation(record, options);
    }
  }

  decodeAnswer(ids: readonly number[]): string {
    return decodeWith(this.streamAnswer(), ids);
  }

  streamAnswer(): StreamDecoder {
    const decoder = this.tokenizer.stream();
    const cleaner = new AnswerCleaner();
    const punctuation = new HanPunctuation();
    let stopped = false;
    return {
      push: (id) => {
        stopped ||= id === this.stopId;
        return stopped ? '' : punctuation.push(cleaner.push(decoder.push(id)));
      },
      flush: () => punctuation.push(cleaner.push(decoder.flush()) + cleaner.flush()) + punctuation.flush(),
    };
  }

  private layoutConversation(
    record: Extract<TrainingRecord, { kind: 'conversation' }>,
    { maskHistory, maxLength }: EncodeOptions,
  ): RowLayout | { dropped: DropReason } {
    const all = toRounds(withTools(record.messages, record.tools), maskHistory, SEPARATOR);
    const target = all.findLastIndex((round) => round.trained && round.answer !== null);
    if (target < 0) return { dropped: 'noTrainedToken' };
    const rounds = all.slice(0, target + 1);
    const render = (skipped: number): Segment[] => {
      const kept = rounds.slice(skipped);
      return this.render(kept, kept.length > 1 || record.emptyHistory === true);
    };
    const layout = fitConversation(render, rounds.length, target, this.stopId, maxLength);
    if ('dropped' in layout) return layout;
    const contextTurns = rounds.filter((round) => round.trained).length - 1;
    return contextTurns > 0 ? { ...layout, contextTurns } : layout;
  }

  /** THUDM's training script: the answer is tokenised by itself, and labels begin with `<sop>`. */
  private render(rounds: readonly Round[], numbered: boolean): Segment[] {
    const { ids, runs } = encodeParts(promptParts(rounds, numbered), (text) => this.tokenizer.align(text));
    const { text, message } = rounds[rounds.length - 1].answer as TextPart;
    addRun(runs, 'control', message, 1);
    const answer = [this.startId, ...this.tokenizer.encode(text)];
    const answerRuns: TokenRun[] = [];
    addRun(answerRuns, 'control', message, 1);
    addRun(answerRuns, 'assistant', message, answer.length - 1);
    return [
      contextSegment([...ids, this.gmaskId], runs),
      { ids: answer, labels: answer, runs: answerRuns, shortest: 2 },
    ];
  }
}

/**
 * The context: the last question alone, or rounds numbered from 0. The last round's answer is not in it.
 * @param numbered false only for a single round: its question stands as it is
 */
function promptParts(rounds: readonly Round[], numbered: boolean): TextPart[] {
  if (!numbered) return rounds[0].question;
  return rounds.flatMap(({ question, answer }, index) => {
    const asked = question[0]?.message ?? answer?.message ?? null;
    const parts: TextPart[] = [
      { text: `${index > 0 ? '\n' : ''}[Round ${index}]\n问：`, role: 'control', message: asked },
      ...question,
      { text: '\n答：', role: 'control', message: answer?.message ?? asked },
    ];
    return answer && index < rounds.length - 1 ? [...parts, answer] : parts;
  });
}
