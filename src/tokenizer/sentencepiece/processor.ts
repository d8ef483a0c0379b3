import { GlmError } from '../../protocol/errors';
import { pieceStarts } from './alignment';
import { BpeEncoder, type PieceEncoder } from './bpe';
import { Charsmap } from './charsmap';
import type { SentencePieceModel } from './model';
import { Normalizer } from './normalizer';
import { PieceDecoder } from './pieceDecoder';
import { UnigramEncoder } from './unigram';
import { Vocabulary } from './vocabulary';

/** Text to piece ids and back, as SentencePiece 0.2.2 does it. */
export class SentencePieceProcessor {
  readonly vocabulary: Vocabulary;
  /** Ids of the model's control pieces, -1 where it has none. */
  readonly bosId: number;
  readonly eosId: number;
  private readonly normalizer: Normalizer;
  private readonly encoder: PieceEncoder;

  /**
   * @param path the model's file, for the error only
   * @throws GlmError `tokenizer.invalidModel` if the normalisation rules cannot be read
   */
  constructor(
    readonly model: SentencePieceModel,
    path = '',
  ) {
    const blob = model.normalizer.precompiledCharsmap;
    const charsmap = blob.length > 0 ? Charsmap.parse(blob) : null;
    if (blob.length > 0 && !charsmap) {
      throw new GlmError('tokenizer.invalidModel', { path, reason: 'badCharsmap' });
    }
    this.vocabulary = new Vocabulary(model);
    this.bosId = this.vocabulary.controlId(model.trainer.bosPiece);
    this.eosId = this.vocabulary.controlId(model.trainer.eosPiece);
    this.normalizer = new Normalizer(model, this.vocabulary.userDefined, charsmap);
    this.encoder =
      model.trainer.modelType === 'bpe'
        ? new BpeEncoder(this.vocabulary)
        : new UnigramEncoder(this.vocabulary);
  }

  /** The text as the pieces see it. */
  normalize(text: string): string {
    return this.normalizer.normalize(text);
  }

  /**
   * Ids of a text, nothing added.
   * @param options.dummyPrefix false for a text that continues another one: the model's leading `▁` is left out
   */
  encode(text: string, options: { dummyPrefix?: boolean } = {}): number[] {
    return this.encoder.encode(this.normalizer.normalize(text, options.dummyPrefix ?? true));
  }

  /** The ids of `encode` with the UTF-16 index in `text` at which each token begins. */
  align(text: string, options: { dummyPrefix?: boolean } = {}): { ids: number[]; starts: number[] } {
    const { normalized, sources } = this.normalizer.normalizeAligned(text, options.dummyPrefix ?? true);
    const ids = this.encoder.encode(normalized);
    const places = pieceStarts(ids, normalized, this.vocabulary);
    return { ids, starts: places.map((place) => sources[place] ?? text.length) };
  }

  /** Text of ids. Ids outside the vocabulary print nothing. */
  decode(ids: Iterable<number>): string {
    const decoder = this.decoder();
    let text = '';
    for (const id of ids) if (id >= 0 && id < this.vocabulary.size) text += decoder.push(id);
    return text + decoder.flush();
  }

  /** A fresh decoder for ids that come one by one. */
  decoder(): PieceDecoder {
    return new PieceDecoder(this.vocabulary, this.model);
  }
}
