/** Texts that know where each of their characters comes from. */

/** Origin of a character; see `templateMark` and `dataMark`. */
export type Mark = number;

/** The template's own text, outside of any message. */
export const TEMPLATE: Mark = 0;
/** Data that belongs to no message, such as descriptions of tools. */
export const DATA: Mark = 1;

/** More messages than fit in a mark. */
export const MAX_MESSAGES = 30_000;

/** Mark of the template's own text around a message. */
export function templateMark(message: number | null): Mark {
  return message === null ? TEMPLATE : 2 + 2 * message;
}

/** Mark of text that a message brings. */
export function dataMark(message: number | null): Mark {
  return message === null ? DATA : 3 + 2 * message;
}

export function isData(mark: Mark): boolean {
  return (mark & 1) === 1;
}

/** Index of the message a mark belongs to, or null. */
export function messageOf(mark: Mark): number | null {
  return mark < 2 ? null : (mark >> 1) - 1;
}

/** Python's white space, which differs from JavaScript's (no U+FEFF, but the C0 separators and U+0085). */
// eslint-disable-next-line no-control-regex -- they are what is meant
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** An immutable text with a mark for every UTF-16 unit, kept as a second string of the same length. */
export class Marked {
  constructor(
    readonly text: string,
    readonly marks: string,
  ) {}

  static readonly EMPTY = new Marked('', '');

  static of(text: string, mark: Mark): Marked {
    return text === '' ? Marked.EMPTY : new Marked(text, String.fromCharCode(mark).repeat(text.length));
  }

  get length(): number {
    return this.text.length;
  }

  slice(start: number, end?: number): Marked {
    return new Marked(this.text.slice(start, end), this.marks.slice(start, end));
  }

  plus(other: Marked): Marked {
    if (this.text === '') return other;
    return other.text === '' ? this : new Marked(this.text + other.text, this.marks + other.marks);
  }

  /** The same characters in another writing; where lengths differ, the first mark goes for all. */
  mapText(change: (text: string) => string): Marked {
    const text = change(this.text);
    if (text.length === this.text.length) return new Marked(text, this.marks);
    return Marked.of(text, this.marks.charCodeAt(0) || TEMPLATE);
  }

  /** Without the given characters (white space if none are given) at its ends. */
  strip(side: 'left' | 'right' | 'both', characters?: string): Marked {
    const goes = (character: string): boolean =>
      characters === undefined ? SPACE.test(character) : characters.includes(character);
    let start = 0;
    let end = this.text.length;
    if (side !== 'right') while (start < end && goes(this.text[start])) start++;
    if (side !== 'left') while (end > start && goes(this.text[end - 1])) end--;
    return this.slice(start, end);
  }

  /** Parts between occurrences of a separator, at most `most` of them cut off from the left. */
  split(separator: string, most = Infinity): Marked[] {
    const parts: Marked[] = [];
    let start = 0;
    while (parts.length < most) {
      const at = this.text.indexOf(separator, start);
      if (at < 0) break;
      parts.push(this.slice(start, at));
      start = at + separator.length;
    }
    parts.push(this.slice(start));
    return parts;
  }

  /** Words between white space, as Python's `split()` gives them. */
  words(): Marked[] {
    const parts: Marked[] = [];
    let start = -1;
    for (let index = 0; index <= this.text.length; index++) {
      const isSpace = index === this.text.length || SPACE.test(this.text[index]);
      if (!isSpace && start < 0) start = index;
      if (isSpace && start >= 0) {
        parts.push(this.slice(start, index));
        start = -1;
      }
    }
    return parts;
  }
}

export function joinMarked(parts: readonly Marked[], separator: Marked = Marked.EMPTY): Marked {
  return new Marked(
    parts.map((part) => part.text).join(separator.text),
    parts.map((part) => part.marks).join(separator.marks),
  );
}
