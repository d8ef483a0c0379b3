import type { Vocabulary } from './vocabulary';

/**
 * Where each token begins in the normalised text it was made from (UTF-16 index). The byte tokens of a character share its
 * place; an unknown token covers everything up to the next token's text.
 */
export function pieceStarts(ids: readonly number[], normalized: string, vocabulary: Vocabulary): number[] {
  const { byteValues, texts, unknown } = vocabulary;
  const starts: number[] = [];
  let at = 0;
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index];
    starts.push(at);
    if (byteValues[id] >= 0) {
      const character = String.fromCodePoint(normalized.codePointAt(at) ?? 0);
      const more = Buffer.byteLength(character, 'utf8') - 1;
      for (let byte = 0; byte < more; byte++) starts.push(at);
      index += more;
      at += character.length;
    } else if (id === unknown) {
      const next = index + 1 < ids.length ? normalized.indexOf(texts[ids[index + 1]], at + 1) : -1;
      at = next < 0 ? normalized.length : next;
    } else {
      at += texts[id].length;
    }
  }
  return starts;
}
