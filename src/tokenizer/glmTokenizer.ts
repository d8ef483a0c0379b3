import type { SentencePieceProcessor } from './sentencepiece/processor';
import type { AlignedIds } from './templates/textParts';
import type { StreamDecoder, Tokenizer } from './types';

/** Special tokens that the ChatGLM2 tokenizer appends to its pieces, in order. */
export const CHATGLM2_SPECIALS = ['[MASK]', '[gMASK]', '[sMASK]', 'sop', 'eop'] as const;
/** Those of ChatGLM3. */
export const CHATGLM3_SPECIALS = [
  ...CHATGLM2_SPECIALS,
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|observation|>',
] as const;

export type GlmSpecial = (typeof CHATGLM3_SPECIALS)[number];

/**
 * The tokenizer of ChatGLM2 and ChatGLM3: SentencePiece pieces, then special tokens that no text can produce
 * (a typed `<|user|>` is ordinary text, which keeps people from speaking in another role).
 */
export class GlmTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  /** End of text; -1 if the model has none. */
  readonly eosId: number;
  private readonly specialTexts: readonly string[];
  private readonly pieceCount: number;

  constructor(
    readonly processor: SentencePieceProcessor,
    specials: readonly string[],
  ) {
    this.pieceCount = processor.vocabulary.size;
    this.specialTexts = specials;
    this.specialTokens = new Map(specials.map((text, index) => [text, this.pieceCount + index]));
    this.vocabSize = this.pieceCount + specials.length;
    this.eosId = processor.eosId;
  }

  /** Id of a special token of this family. */
  special(text: GlmSpecial): number {
    const id = this.specialTokens.get(text);
    if (id === undefined) throw new RangeError(`The tokenizer has no ${text}`);
    return id;
  }

  encode(text: string): number[] {
    return this.processor.encode(text);
  }

  /**
   * The ids of `encode` with the place each comes from.
   * @param isContinuation true for a text that continues another one: no leading dummy space
   */
  align(text: string, { isContinuation = false } = {}): AlignedIds {
    return this.processor.align(text, { dummyPrefix: !isContinuation });
  }

  decode(ids: readonly number[], options: { keepSpecial?: boolean } = {}): string {
    const decoder = this.stream(options);
    return ids.map((id) => decoder.push(id)).join('') + decoder.flush();
  }

  piece(id: number): string {
    if (id >= 0 && id < this.pieceCount) return this.processor.vocabulary.texts[id];
    return this.specialTexts[id - this.pieceCount] ?? '';
  }

  stream(options: { keepSpecial?: boolean } = {}): StreamDecoder {
    let decoder = this.processor.decoder();
    return {
      push: (id) => {
        if (id >= 0 && id < this.pieceCount) return decoder.push(id);
        // Text on either side of a special token is decoded by itself, so each loses its own dummy space.
        const before = decoder.flush();
        decoder = this.processor.decoder();
        return options.keepSpecial ? before + this.piece(id) : before;
      },
      flush: () => decoder.flush(),
    };
  }
}
