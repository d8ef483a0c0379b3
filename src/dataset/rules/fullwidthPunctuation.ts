import { FULLWIDTH_TO_ASCII } from '../jsonl/syntax';
import type { TextFix } from '../types';
import type { SyntaxRule } from './rule';

/** “ ” ： ， and the like where JSON has ASCII characters: typed with a Chinese input method. */
export const fullwidthPunctuation: SyntaxRule = {
  id: 'glm/fullwidth-punctuation',
  severity: 'error',
  stage: 'syntax',
  causes: ['fullwidth'],

  check(text, { start, end }) {
    const found = text.slice(start, end);
    const ascii = FULLWIDTH_TO_ASCII[found] ?? '';
    return {
      start,
      end,
      message: 'fullwidth',
      args: { found, ascii },
      fix: replacement(text, start, ascii),
    };
  },
};

/** Replaces the character; of a quote also the one that closes it, or the string would run on. */
function replacement(text: string, start: number, ascii: string): TextFix {
  const edits = [{ start, end: start + 1, text: ascii }];
  if (ascii === '"') {
    for (let i = start + 1; i < text.length; i++) {
      const char = text.charAt(i);
      if (char === '"') break;
      if (FULLWIDTH_TO_ASCII[char] === '"' && /^\s*(?:[:：,，}｝\]】］]|$)/.test(text.slice(i + 1, i + 20))) {
        edits.push({ start: i, end: i + 1, text: '"' });
        break;
      }
    }
  }
  return { title: 'replaceFullwidth', edits };
}
