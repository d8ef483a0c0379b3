/** Cuts text into the stretches inside which pieces are learnt. */
import { META_SPACE } from '../sentencepiece/model';

/**
 * A run of one kind, with the space before it. Chinese characters take no space, so that a word is the same piece at the
 * beginning of a text and inside it; every digit is by itself, which helps small models to calculate.
 */
const WORD =
  /\u2581*\p{Script=Han}+|\u2581?(?:(?!\p{Script=Han})[\p{L}\p{M}])+|\u2581*\p{N}|\u2581?[^\p{L}\p{M}\p{N}\u2581]+|\u2581+/gu;
const STANDS_ALONE = /^[\p{Script=Han}\p{N}]/u;

/** How often each word occurs in the lines; a line break never becomes part of a piece. */
export function countWords(lines: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (word: string): void => {
    if (word !== '') counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  for (const text of lines) {
    for (const line of text.split(/[\r\n]+/)) {
      if (line === '') continue;
      for (const [word] of (META_SPACE + line.replaceAll(' ', META_SPACE)).matchAll(WORD)) {
        const content = word.replace(/^\u2581+/, '');
        if (!STANDS_ALONE.test(content)) {
          add(word);
          continue;
        }
        add(word.slice(0, word.length - content.length));
        add(content);
      }
    }
  }
  return counts;
}

/** A candidate for the vocabulary and the number of tokens that it saves in the text. */
export interface Candidate {
  text: string;
  gain: number;
}

/**
 * The characters that cover `coverage` of the text, the most useful first; the rest will be written as bytes. A character
 * saves all its UTF-8 bytes but one. One byte counts as saved at least: merges are built from characters.
 */
export function rankCharacters(words: Map<string, number>, coverage: number): Candidate[] {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [word, count] of words) {
    for (const character of word) {
      counts.set(character, (counts.get(character) ?? 0) + count);
      total += count;
    }
  }
  const ordered = [...counts].sort((a, b) => b[1] - a[1] || compareText(a[0], b[0]));
  const kept: Candidate[] = [];
  let covered = 0;
  for (const [text, count] of ordered) {
    if (covered >= total * coverage) break;
    kept.push({ text, gain: count * Math.max(1, Buffer.byteLength(text) - 1) });
    covered += count;
  }
  return kept.sort((a, b) => b.gain - a.gain || compareText(a.text, b.text));
}

/** Order by code units, the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
