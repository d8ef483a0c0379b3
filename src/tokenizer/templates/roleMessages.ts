/** What ChatGLM3's and GLM-4's prompt formats have in common: messages that begin with a role token. */
import type { Message, Role, ToolDescription, TrainingRecord } from '../../dataset/types';
import type {
  ChatTemplate,
  DropReason,
  EncodedSample,
  EncodeOptions,
  RowLayout,
  StreamDecoder,
  Tokenizer,
  TokenRun,
} from '../types';
import { decodeWith } from './answerText';
import { ChatGlm3AnswerStream } from './chatglm3Answer';
import { roundStarts, trainedFlags, untrainedRounds, withoutRounds, type Turn } from './conversation';
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

/** What differs between the two formats. */
export interface RoleFormat {
  /** Begins every row. */
  prefix: readonly number[];
  roleIds: Readonly<Record<Role, number>>;
  /** Ends a text. */
  eosId: number;
  /** Ends a conversation that is trained on. */
  closingId: number;
  /** Roles whose tokens are labels. */
  trainedRoles: readonly Role[];
  /** Number of tokens of a trained message that are no labels, the role token included. */
  untrainedHead(options: EncodeOptions): number;
  /** The messages as they are written: tools put in, calls in the format's writing. */
  turns(messages: readonly Message[], tools?: readonly ToolDescription[]): Turn[];
}

export class RoleTemplate implements ChatTemplate {
  readonly stopIds: readonly number[];

  /** @param vocabSize rows of the model's embedding, to check pre-tokenised rows */
  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly vocabSize: number,
    private readonly format: RoleFormat,
  ) {
    this.stopIds = [format.eosId, format.roleIds.user, format.roleIds.observation];
  }

  encodePrompt(messages: readonly Message[], tools?: readonly ToolDescription[]): number[] {
    const ids = [...this.format.prefix];
    for (const message of this.format.turns(messages, tools)) {
      for (const id of this.encodeMessage(message, false).ids) ids.push(id);
    }
    ids.push(this.format.roleIds.assistant);
    return ids;
  }

  encodeRecord(record: TrainingRecord, options: EncodeOptions): EncodedSample | { dropped: DropReason } {
    return toSample(this.layoutRecord(record, options));
  }

  layoutRecord(record: TrainingRecord, options: EncodeOptions): RowLayout | { dropped: DropReason } {
    const { prefix, eosId, closingId } = this.format;
    switch (record.kind) {
      case 'text':
        return layoutText(prefix, this.tokenizer.encode(record.text), eosId, options.maxLength);
      case 'tokens':
        return layoutTokens(record, this.vocabSize, options.maxLength);
      case 'conversation': {
        const turns = this.format.turns(record.messages, record.tools);
        const flags = trainedFlags(turns, options.maskHistory);
        const encoded = turns.map((turn, index) => this.encodeMessage(turn, flags[index]));
        const starts = roundStarts(turns);
        const head = this.format.untrainedHead(options);
        const render = (skipped: number): Segment[] =>
          this.render(withoutRounds(encoded, starts, skipped), head);
        const untrained = untrainedRounds(
          starts,
          encoded.findIndex((message) => message.trained),
        );
        return fitConversation(render, starts.length, untrained, closingId, options.maxLength);
      }
    }
  }

  decodeAnswer(ids: readonly number[]): string {
    // Of several parts the last one is the answer, as in the reference; the others were thoughts on the way.
    const stop = ids.findIndex((id) => this.stopIds.includes(id));
    const answer = stop < 0 ? ids : ids.slice(0, stop);
    return decodeWith(
      this.streamAnswer(),
      answer.slice(answer.lastIndexOf(this.format.roleIds.assistant) + 1),
    );
  }

  streamAnswer(): StreamDecoder {
    return new ChatGlm3AnswerStream(this.tokenizer, this.stopIds, this.format.roleIds.assistant);
  }

  /**
   * One segment per message. THUDM's rule: a token is a label if the token before it belongs to a trained message. So the role
   * token of such a message is none, its newline and content are, and so is the role token after it.
   */
  private render(messages: readonly EncodedMessage[], untrainedHead: number): Segment[] {
    const prefix = [...this.format.prefix];
    const prefixRun: TokenRun = { role: 'control', message: null, length: prefix.length };
    const segments: Segment[] = [contextSegment(prefix, [prefixRun])];
    let afterTrained = false;
    for (const { ids, headLength, role, message, trained } of messages) {
      const isLabel = (index: number): boolean =>
        index === 0 ? afterTrained : trained && index >= untrainedHead;
      const labels = ids.map((id, index) => (isLabel(index) ? id : IGNORED));
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
    const head = [this.format.roleIds[message.role], ...this.tokenizer.encode(`${metadata}\n`)];
    return {
      ids: head.concat(this.tokenizer.encode(message.content)),
      headLength: head.length,
      role: message.role,
      message: message.index,
      trained: trainable && this.format.trainedRoles.includes(message.role),
    };
  }
}
