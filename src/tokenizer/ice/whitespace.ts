/**
 * ChatGLM-6B's writing of white space. SentencePiece would fold it, so line breaks, tabs and runs of blanks become pieces of
 * their own before it sees the text, and are put back afterwards.
 */

const NEWLINE = '<n>';
const TAB = '<|tab|>';
const MAX_BLANKS = 80;

/** The placeholder of a run of 2 to 80 blanks. */
function blanks(count: number): string {
  return `<|blank_${count}|>`;
}

/** The pieces that the placeholders are, in the order of the vocabulary; `<n>` is one of the base pieces. */
export const WHITESPACE_PIECES: readonly string[] = [
  TAB,
  ...Array.from({ length: MAX_BLANKS - 1 }, (_, index) => blanks(index + 2)),
];

/** Line breaks, tabs and runs of blanks (80 at most, the longest first) as placeholders. */
export function writeWhitespace(text: string): string {
  return text.replace(SPACES, placeholderOf);
}

/** The same, with the index in `text` that each UTF-16 unit of the result was made from. */
export function writeWhitespaceAligned(text: string): { written: string; sources: number[] } {
  const sources: number[] = [];
  let written = '';
  let index = 0;
  const copyUntil = (end: number): void => {
    written += text.slice(index, end);
    for (; index < end; index++) sources.push(index);
  };
  for (const { 0: run, index: start } of text.matchAll(SPACES)) {
    copyUntil(start);
    const placeholder = placeholderOf(run);
    written += placeholder;
    for (let unit = 0; unit < placeholder.length; unit++) sources.push(start);
    index += run.length;
  }
  copyUntil(text.length);
  return { written, sources };
}

const SPACES = new RegExp(`\\n|\\t| {2,${MAX_BLANKS}}`, 'g');

function placeholderOf(run: string): string {
  if (run === '\n') return NEWLINE;
  return run === '\t' ? TAB : blanks(run.length);
}

const PLACEHOLDERS = /<n>|<\|tab\|>|<\|blank_([2-9]|[1-7]\d|80)\|>/g;
/** The beginning of a placeholder at the end of a text. */
const UNFINISHED = /<(?:n|\|(?:[a-z]{0,5}|tab\||blank_\d{0,2}\|?))?$/;

/** Placeholders as the white space they stand for, also those that were typed or spelt in letters, as the original does. */
export function readWhitespace(text: string): string {
  return text.replace(PLACEHOLDERS, (placeholder, count?: string) => {
    if (count !== undefined) return ' '.repeat(Number(count));
    return placeholder === NEWLINE ? '\n' : '\t';
  });
}

/** The same for text that comes in parts: what may become a placeholder is withheld. */
export class WhitespaceReader {
  private held = '';

  push(text: string): string {
    const buffer = readWhitespace(this.held + text);
    const cut = UNFINISHED.exec(buffer)?.index ?? buffer.length;
    this.held = buffer.slice(cut);
    return buffer.slice(0, cut);
  }

  flush(): string {
    const rest = this.held;
    this.held = '';
    return rest;
  }
}
