import type { Charsmap } from './charsmap';
import { META_SPACE, type SentencePieceModel } from './model';
import type { Trie } from './trie';

const LONE_SURROGATE = /\p{Surrogate}/gu;

/** Brings a text to the form the pieces are written in (SentencePiece `normalizer.cc`). */
export class Normalizer {
  private readonly charsmap: Charsmap | null;
  private readonly space: string;
  private readonly isIdentity: boolean;
  private readonly addDummyPrefix: boolean;
  private readonly removeExtraWhitespaces: boolean;
  private readonly asSuffix: boolean;

  /**
   * @param userDefined pieces that are taken over as they stand
   * @param charsmap the model's rules, or null
   */
  constructor(
    model: SentencePieceModel,
    private readonly userDefined: Trie | null,
    charsmap: Charsmap | null,
  ) {
    const { normalizer, trainer } = model;
    this.charsmap = charsmap;
    this.space = normalizer.escapeWhitespaces ? META_SPACE : ' ';
    this.addDummyPrefix = normalizer.addDummyPrefix;
    this.removeExtraWhitespaces = normalizer.removeExtraWhitespaces;
    this.asSuffix = trainer.treatWhitespaceAsSuffix;
    this.isIdentity = charsmap === null && !normalizer.removeExtraWhitespaces;
  }

  /**
   * @param dummyPrefix false: leave the model's dummy space out (a text that continues another one)
   * @returns the normalised text; lone surrogates become U+FFFD
   */
  normalize(text: string, dummyPrefix = true): string {
    return this.rewrite(text, dummyPrefix, null);
  }

  /** The same, with the index in `text` that each UTF-16 unit of the result was made from. */
  normalizeAligned(text: string, dummyPrefix = true): { normalized: string; sources: number[] } {
    const sources: number[] = [];
    return { normalized: this.rewrite(text, dummyPrefix, sources), sources };
  }

  private rewrite(text: string, dummyPrefix: boolean, sources: number[] | null): string {
    const wellFormed = text.replace(LONE_SURROGATE, '\ufffd');
    const ruled = this.isIdentity ? wellFormed : this.applyRules(wellFormed, sources);
    if (this.isIdentity && sources) for (let index = 0; index < text.length; index++) sources.push(index);
    const body = ruled.replaceAll(' ', this.space);
    if (body === '' && (this.removeExtraWhitespaces || text === '')) return '';
    if (!this.addDummyPrefix || !dummyPrefix) return body;
    if (this.asSuffix) {
      sources?.push(text.length);
      return body + this.space;
    }
    sources?.unshift(0);
    return this.space + body;
  }

  /** Rules and user-defined pieces, then leading, repeated and trailing spaces removed if the model asks for it. */
  private applyRules(text: string, sources: number[] | null): string {
    let result = '';
    let afterSpace = this.removeExtraWhitespaces;
    let index = 0;
    while (index < text.length) {
      const { length, replacement } = this.prefixAt(text, index);
      const source = index;
      index += length;
      let part = replacement;
      if (afterSpace) part = part.replace(/^ +/, '');
      if (part === '') continue;
      result += part;
      if (sources) for (let unit = 0; unit < part.length; unit++) sources.push(source);
      afterSpace = this.removeExtraWhitespaces && part.endsWith(' ');
    }
    if (!this.removeExtraWhitespaces) return result;
    // A typed U+2581 at the end counts as a space here, as it does in SentencePiece.
    const trailing = this.space === META_SPACE ? /[ \u2581]+$/ : / +$/;
    const trimmed = result.replace(trailing, '');
    if (sources) sources.length = trimmed.length;
    return trimmed;
  }

  private prefixAt(text: string, index: number): { length: number; replacement: string } {
    const userDefined = this.userDefined?.longestMatch(text, index) ?? 0;
    if (userDefined > 0) {
      return { length: userDefined, replacement: text.slice(index, index + userDefined) };
    }
    const rule = this.charsmap?.longestMatch(text, index);
    if (rule) return rule;
    const length = (text.codePointAt(index) as number) > 0xffff ? 2 : 1;
    return { length, replacement: text.slice(index, index + length) };
  }
}
