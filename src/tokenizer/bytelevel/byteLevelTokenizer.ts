import type { StreamDecoder, Tokenizer } from '../types';
import { AddedTokenFinder, type AddedMatch, type AddedToken } from './addedTokens';
import type { ByteBpe } from './byteBpe';
import { ByteDecoder, decodeAll } from './byteDecoder';

export interface ByteLevelOptions {
  added: readonly AddedToken[];
  /** What the tokenizer itself puts before a text. */
  prefix: readonly number[];
  /** What it puts after a text. */
  suffix?: readonly number[];
}

/**
 * The tokenizer of GLM-4 and its successors: byte-level BPE and added tokens. Control tokens come only from text that is said
 * to be trusted, such as that of a chat template, so that nobody can speak in another role by writing one. Added tokens that
 * are no control tokens (`<think>` of some models) are recognised everywhere.
 */
export class ByteLevelTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  /** What the tokenizer itself puts before and after a text. */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  private readonly byId: ReadonlyMap<number, AddedToken>;
  private readonly finder: AddedTokenFinder;
  private readonly ordinary: AddedTokenFinder;

  constructor(
    readonly bpe: ByteBpe,
    { added, prefix, suffix = [] }: ByteLevelOptions,
  ) {
    this.byId = new Map(added.map((token) => [token.id, token]));
    this.specialTokens = new Map(
      added.filter((token) => token.special).map((token) => [token.text, token.id]),
    );
    this.finder = new AddedTokenFinder(added);
    this.ordinary = new AddedTokenFinder(added.filter((token) => !token.special));
    this.prefix = prefix;
    this.suffix = suffix;
    this.vocabSize = added.reduce((size, { id }) => Math.max(size, id + 1), bpe.vocabulary.size);
  }

  encode(text: string): number[] {
    return this.encodeBetween(this.ordinary, text);
  }

  /** Ids of a text in which control tokens are recognised, as the original tokenizers' `encode` does; nothing is added. */
  encodeWithSpecials(text: string): number[] {
    return this.encodeBetween(this.finder, text);
  }

  /** Added tokens in a text; control tokens only where `mayControl` allows. */
  findAdded(text: string, mayControl: (start: number, end: number) => boolean): AddedMatch[] {
    return this.finder.find(text, mayControl);
  }

  /** Id of a control token, or -1. */
  special(text: string): number {
    return this.specialTokens.get(text) ?? -1;
  }

  decode(ids: readonly number[], options: { keepSpecial?: boolean } = {}): string {
    return decodeAll(this.stream(options), ids);
  }

  piece(id: number): string {
    const added = this.byId.get(id);
    if (added) return added.text;
    return id >= 0 && id < this.bpe.vocabulary.size ? printable(this.bpe.vocabulary.bytes(id)) : '';
  }

  stream(options: { keepSpecial?: boolean } = {}): StreamDecoder {
    const decoder = new ByteDecoder();
    return {
      push: (id) => {
        const added = this.byId.get(id);
        if (added) {
          const before = decoder.flush();
          return added.special && !options.keepSpecial ? before : before + added.text;
        }
        return id >= 0 && id < this.bpe.vocabulary.size ? decoder.push(this.bpe.vocabulary.bytes(id)) : '';
      },
      flush: () => decoder.flush(),
    };
  }

  private encodeBetween(finder: AddedTokenFinder, text: string): number[] {
    const ids: number[] = [];
    let start = 0;
    for (const match of finder.find(text)) {
      if (match.start > start) this.bpe.encodeInto(text.slice(start, match.start), ids);
      ids.push(match.token.id);
      start = match.end;
    }
    if (start < text.length) this.bpe.encodeInto(start > 0 ? text.slice(start) : text, ids);
    return ids;
  }
}

/** The text of a token; bytes that are no whole character as `<0xE4>`. */
function printable(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`).join('');
  }
}
