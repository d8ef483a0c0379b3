/** What the tokenizer room hands to the engine, the command line and the editor. */
import type { Message, Role, ToolDescription, TrainingRecord } from '../dataset/types';

export interface Tokenizer {
  /** Number of ids, special tokens included. */
  readonly vocabSize: number;
  /** Special tokens by their text. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Ids of a text alone; control tokens written in it are plain text. */
  encode(text: string): number[];
  /** Text of ids; special tokens are left out unless `keepSpecial`. Invalid UTF-8 becomes U+FFFD. */
  decode(ids: readonly number[], options?: { keepSpecial?: boolean }): string;
  /** The piece of one id as it is stored, for label views and logs. */
  piece(id: number): string;
  /** Decodes ids that come one by one; the texts of all calls joined are what `decode` gives. */
  stream(options?: { keepSpecial?: boolean }): StreamDecoder;
}

/** Text of ids as they come. Nothing is handed out that a later id could change. */
export interface StreamDecoder {
  /** The text that this id completes, possibly none: an incomplete UTF-8 character is withheld. */
  push(id: number): string;
  /** What is still withheld; call it after the last id. */
  flush(): string;
}

/**
 * A row ready for training. `labels[t]` is the id at t if it is trained, -100 otherwise (not shifted).
 * One exception: where a ChatGLM2 answer is followed by a further round, the label of that round's first token is the end
 * token, which the prompt format itself leaves out; the model must learn to stop there.
 */
export interface EncodedSample {
  inputIds: Int32Array;
  labels: Int32Array;
  /** Tokens cut away to fit `maxLength`. */
  truncated: number;
  /** Number of trained tokens. */
  trained: number;
  /**
   * Assistant turns that ask to be trained but are only context here, because the format can train one answer a row
   * (ChatGLM-6B); absent means none.
   */
  contextTurns?: number;
  /**
   * Padding (`attention_mask` 0) that stood before a pre-tokenised row; absent means none. PEFT's prefix tuning counts it: it gives
   * the model no position ids.
   */
  paddingBefore?: number;
}

/**
 * What a token is part of: a message of that role, `control` for what only the format writes (special tokens, role lines,
 * `[Round 1]`), `text` in rows that have no messages.
 */
export type TokenRole = Role | 'control' | 'text';

/** Neighbouring tokens of one origin. */
export interface TokenRun {
  role: TokenRole;
  /** Index in the record's `messages`; null for what belongs to none. What introduces or ends a message belongs to it. */
  message: number | null;
  length: number;
}

/** A row with the origin of its tokens; `EncodedSample` and the label view are both made of it. */
export interface RowLayout {
  ids: number[];
  /** One label per id, as in `EncodedSample`. */
  labels: number[];
  /** Cover all ids, in order. */
  runs: TokenRun[];
  truncated: number;
  contextTurns?: number;
  /** As in `EncodedSample`. */
  paddingBefore?: number;
}

export interface EncodeOptions {
  /** Longest row in tokens, special tokens included. */
  maxLength: number;
  /** Train only the last assistant turn. */
  maskHistory: boolean;
}

/** Why a record cannot be trained on. */
export type DropReason = 'noTrainedToken' | 'tooLong' | 'tokenOutOfRange';

/** Prompt format and label rules of one model family. */
export interface ChatTemplate {
  /** Ids that end an answer. */
  readonly stopIds: readonly number[];
  /** A whole record with labels and the origin of every token, or why it cannot be used. */
  layoutRecord(record: TrainingRecord, options: EncodeOptions): RowLayout | { dropped: DropReason };
  /** The same as arrays for training: `toSample(layoutRecord(...))`. */
  encodeRecord(record: TrainingRecord, options: EncodeOptions): EncodedSample | { dropped: DropReason };
  /** The ids after which the model writes the next assistant turn. */
  encodePrompt(messages: readonly Message[], tools?: readonly ToolDescription[]): number[];
  /** The answer text of generated ids (stop tokens removed, the family's clean-up applied). */
  decodeAnswer(ids: readonly number[]): string;
  /** The same for ids that come one by one (stop tokens give nothing). */
  streamAnswer(): StreamDecoder;
}

/** Which prompt format: the network does not tell ChatGLM2 from ChatGLM3, the files beside it do. */
export const TEMPLATE_IDS = ['chatglm', 'chatglm2', 'chatglm3', 'glm4', 'jinja'] as const;
export type TemplateId = (typeof TEMPLATE_IDS)[number];

export interface TokenizerBundle {
  tokenizer: Tokenizer;
  template: ChatTemplate;
  templateId: TemplateId;
}
