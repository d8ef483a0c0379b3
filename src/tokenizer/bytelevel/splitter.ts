/**
 * How GLM-4 cuts a text before merging: contractions, words with one leading sign, numbers of up to three digits, signs,
 * line ends, spaces. It is written for Rust's regular expressions; `GLM4_SPLIT` is its text in `tokenizer.json`.
 */
export const GLM4_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

// JavaScript's \s has U+FEFF and lacks U+0085, and (?i:s) also matches U+017F there, so both are spelt out.
const SPACE = '\\p{White_Space}';
const PATTERN = new RegExp(
  [
    "'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])",
    '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+',
    '\\p{N}{1,3}',
    ` ?[^${SPACE}\\p{L}\\p{N}]+[\\r\\n]*`,
    `${SPACE}*[\\r\\n]+`,
    `${SPACE}+(?!\\P{White_Space})`,
    `${SPACE}+`,
  ].join('|'),
  'gu',
);

/** A text is given to the expression in stretches: its backtracking stack grows with the length of a match. */
const STRETCH = 1 << 20;
/** The expression fails on words of 4 million letters; one that is longer than this is cut. */
const MAX_STRETCH = 1 << 21;

/** The pieces of a text; joined they are the text. */
export function splitText(text: string): string[] {
  if (text.length <= STRETCH) return text.match(PATTERN) ?? [];
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    for (const piece of surePieces(text, start)) {
      pieces.push(piece);
      start += piece.length;
    }
  }
  return pieces;
}

/** At least one piece from `start` on, without those that what follows could change: the last three of a stretch. */
function surePieces(text: string, start: number): string[] {
  let found: string[] = [];
  for (let stretch = STRETCH; stretch <= MAX_STRETCH; stretch *= 2) {
    found = text.slice(start, start + stretch).match(PATTERN) ?? [];
    if (start + stretch >= text.length) return found;
    if (found.length > 3) return found.slice(0, -3);
  }
  return found.slice(0, Math.max(1, found.length - 1));
}
