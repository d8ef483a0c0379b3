import { PieceType } from '../sentencepiece/model';
import type { SentencePieceProcessor } from '../sentencepiece/processor';
import type { AlignedIds } from '../templates/textParts';
import type { StreamDecoder, Tokenizer } from '../types';
import { ICE_SPECIALS, type IceSpecial } from './model';
import { WhitespaceReader, writeWhitespace, writeWhitespaceAligned } from './whitespace';

/** Encoded before a text that continues another one, and cut away again: the dummy space and a line break. */
const LINE_START = '<n>';
const LINE_START_TOKENS = 2;

/**
 * The tokenizer of ChatGLM-6B: SentencePiece behind a rewriting of white space. Ids count from `imageTokens`: the first
 * revisions keep 20000 rows for image tokens, which never come from text and print nothing.
 *
 * Special tokens never come from text. Hugging Face's layer cuts `<sop>`, `<eop>`, `[MASK]`, `<unk>` and `<pad>` out of what
 * a user typed and makes them special; here they are spelt in ordinary pieces, as in THUDM's own SPTokenizer, which keeps
 * people from ending an answer in their question. All other texts give the same ids in all three.
 */
export class IceTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly specialTokens: ReadonlyMap<string, number>;

  /**
   * @param processor of a completed model (`completeIceModel`)
   * @param imageTokens number of ids before the first piece: 0, or 20000 in the first revisions
   */
  constructor(
    private readonly processor: SentencePieceProcessor,
    private readonly imageTokens: number,
  ) {
    const { size, texts, types } = processor.vocabulary;
    this.vocabSize = imageTokens + size;
    const specials = new Map<string, number>();
    texts.forEach((text, id) => {
      if (types[id] === PieceType.control) specials.set(text, imageTokens + id);
    });
    this.specialTokens = specials;
  }

  /** Special tokens of the family that the model lacks. */
  get missingSpecials(): string[] {
    return ICE_SPECIALS.filter((text) => !this.specialTokens.has(text));
  }

  special(text: IceSpecial): number {
    const id = this.specialTokens.get(text);
    if (id === undefined) throw new RangeError(`The tokenizer has no ${text}`);
    return id;
  }

  encode(text: string): number[] {
    return this.shifted(this.processor.encode(writeWhitespace(text)));
  }

  /**
   * The ids of `encode` with the place each comes from.
   * @param isContinuation true for a text that continues another one: no dummy space before it
   */
  align(text: string, { isContinuation = false } = {}): AlignedIds {
    const { written, sources } = writeWhitespaceAligned(text);
    const before = isContinuation ? LINE_START : '';
    const { ids, starts } = this.processor.align(before + written);
    const from = isContinuation ? LINE_START_TOKENS : 0;
    return {
      ids: this.shifted(ids.slice(from)),
      starts: starts.slice(from).map((start) => sources[start - before.length] ?? text.length),
    };
  }

  decode(ids: readonly number[], options: { keepSpecial?: boolean } = {}): string {
    const decoder = this.stream(options);
    return ids.map((id) => decoder.push(id)).join('') + decoder.flush();
  }

  piece(id: number): string {
    if (id >= 0 && id < this.imageTokens) return `<image_${id}>`;
    return this.processor.vocabulary.texts[id - this.imageTokens] ?? '';
  }

  stream({ keepSpecial = false } = {}): StreamDecoder {
    const { types, size } = this.processor.vocabulary;
    const decoder = this.processor.decoder();
    const reader = new WhitespaceReader();
    return {
      push: (id) => {
        const own = id - this.imageTokens;
        if (!(own >= 0 && own < size)) return '';
        const text = decoder.push(own);
        const isKept = keepSpecial && types[own] === PieceType.control;
        // A control piece prints nothing, but what came before it cannot become a placeholder any more.
        return isKept ? reader.push(text) + reader.flush() + this.piece(id) : reader.push(text);
      },
      flush: () => reader.push(decoder.flush()) + reader.flush(),
    };
  }

  private shifted(ids: number[]): number[] {
    return this.imageTokens === 0 ? ids : ids.map((id) => id + this.imageTokens);
  }
}
