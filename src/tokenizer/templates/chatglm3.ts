/** Prompt format and label rules of ChatGLM3: messages that begin with a role token. */
import type { Message, Role, ToolDescription, TrainingRecord } from '../../dataset/types';
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
import { decodeWith } from './answerText';
import { ChatGlm3AnswerStream } from './chatglm3Answer';
import { roundStarts, trainedFlags, withoutRounds, withTools, type Turn } from './conversation';
import { layoutText, layoutTokens } from './plainRecords';
import { addRun, contextSegment, fitConversation, IGNORED, toSample, type Segment } from './segments';

interface EncodedMessage {
  ids: number[];
  /** Number of ids before the content: role token and role line. */
  headLength: number;
  role: Role;
  /** Index in the record. */
  message: number | null;
  trained: boolean;
}

export class ChatGlm3Template implements ChatTemplate {
  readonly stopIds: readonly number[];
  private readonly prefix: readonly number[];
  private readonly roleIds: Readonly<Record<Role, number>>;

  /** @param vocabSize rows of the model's embedding, to check pre-tokenised rows */
  constructor(
    private readonly tokenizer: GlmTokenizer,
    private readonly vocabSize: number,
  ) {
    this.prefix = [tokenizer.special('[gMASK]'), tokenizer.special('sop')];
    this.roleIds = {
      system: tokenizer.special('<|system|>'),
      user: tokenizer.special('<|user|>'),
      assistant: tokenizer.special('<|assistant|>'),
      observation: tokenizer.special('<|observation|>'),
    };
    this.stopIds = [tokenizer.eosId, this.roleIds.user, this.roleIds.observation];
  }

  encodePrompt(messages: readonly Message[], tools?: readonly ToolDescription[]): number[] {
    const ids = [...this.prefix];
    for (const message of withTools(messages, tools)) {
      for (const id of this.encodeMessage(message, false).ids) ids.push(id);
    }
    ids.push(this.roleIds.assistant);
    return ids;
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
        const messages = withTools(record.messages, record.tools);
        const flags = trainedFlags(messages, options.maskHistory);
        const encoded = messages.map((message, index) => this.encodeMessage(message, flags[index]));
        const starts = roundStarts(messages);
        const render = (skipped: number): Segment[] => this.render(withoutRounds(encoded, starts, skipped));
        const firstTrained = encoded.findIndex((message) => message.trained);
        const untrained = Math.max(
          0,
          starts.findLastIndex((start) => start <= firstTrained),
        );
        return fitConversation(render, starts.length, untrained, eosId, options.maxLength);
      }
    }
  }

  decodeAnswer(ids: readonly number[]): string {
    // Of several parts the last one is the answer, as in the reference; the others were thoughts on the way.
    const stop = ids.findIndex((id) => this.stopIds.includes(id));
    const answer = stop < 0 ? ids : ids.slice(0, stop);
    return decodeWith(this.streamAnswer(), answer.slice(answer.lastIndexOf(this.roleIds.assistant) + 1));
  }

  streamAnswer(): StreamDecoder {
    return new ChatGlm3AnswerStream(this.tokenizer, this.stopIds, this.roleIds.assistant);
  }

  /**
   * One segment per message. THUDM's rule: a token is a label if the token before it belongs to an assistant or observation
   * message. So the role token of such a message is none, its newline and content are, and so is the role token after it.
   */
  private render(messages: readonly EncodedMessage[]): Segment[] {
    const prefixRun: TokenRun = { role: 'control', message: null, length: this.prefix.length };
    const segments: Segment[] = [contextSegment([...this.prefix], [prefixRun])];
    let afterTrained = false;
    for (const { ids, headLength, role, message, trained } of messages) {
      const labels = ids.map((id, index) => ((index === 0 ? afterTrained : trained) ? id : IGNORED));
      const mayBeCut = trained && role === 'assistant';
      const runs: TokenRun[] = [];
      addRun(runs, 'control', message, headLength);
      addRun(runs, role, message, ids.length - headLength);
      segments.push({ ids, labels, runs, shortest: mayBeCut ? headLength + 1 : null });
      afterTrained = trained;
    }
    return segments;
  }

  /** @param trainable false where only another turn is trained */
  private encodeMessage(message: Turn, trainable: boolean): EncodedMessage {
    // Only an assistant's tool call has metadata.
    const metadata = message.role === 'assistant' ? (message.metadata ?? '') : '';
    const head = [this.roleIds[message.role], ...this.tokenizer.encode(`${metadata}\n`)];
    return {
      ids: head.concat(this.tokenizer.encode(message.content)),
      headLength: head.length,
      role: message.role,
      message: message.index,
      trained: trainable && (message.role === 'assistant' || message.role === 'observation'),
    };
  }
}
