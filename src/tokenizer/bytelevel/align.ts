import type { AlignedIds } from '../templates/textParts';
import type { ByteLevelTokenizer } from './byteLevelTokenizer';

/**
 * Tokenises a text in which only some characters may form control tokens, and tells where each token begins. Stretches
 * between control tokens are tokenised as one text, whoever wrote them.
 * @param mayControl true if all characters of a range are trusted
 */
export function encodeTrusted(
  tokenizer: ByteLevelTokenizer,
  text: string,
  mayControl: (start: number, end: number) => boolean,
): AlignedIds {
  const ids: number[] = [];
  const starts: number[] = [];
  const plain = (start: number, end: number): void => {
    if (start === end) return;
    const stretch = text.slice(start, end);
    const from = ids.length;
    tokenizer.bpe.encodeInto(stretch, ids);
    addStarts(stretch, ids, from, starts, start, tokenizer.bpe.vocabulary.byteLengths);
  };
  let at = 0;
  for (const match of tokenizer.findAdded(text, mayControl)) {
    plain(at, match.start);
    ids.push(match.token.id);
    starts.push(match.start);
    at = match.end;
  }
  plain(at, text.length);
  return { ids, starts };
}

/** Where the tokens `ids[from..]` begin in the text that they cover completely. */
function addStarts(
  text: string,
  ids: readonly number[],
  from: number,
  starts: number[],
  offset: number,
  byteLengths: Int32Array,
): void {
  let character = 0;
  /** Bytes before the end of `character`. */
  let end = utf8Length(text, 0);
  let begin = 0;
  for (let index = from; index < ids.length; index++) {
    while (begin >= end && character < text.length) {
      character += (text.codePointAt(character) as number) > 0xffff ? 2 : 1;
      end += utf8Length(text, character);
    }
    starts.push(offset + character);
    begin += byteLengths[ids[index]];
  }
}

/** UTF-8 bytes of the character at an index; a lone surrogate becomes U+FFFD, which has three. */
function utf8Length(text: string, index: number): number {
  const codePoint = text.codePointAt(index);
  if (codePoint === undefined) return 0;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
