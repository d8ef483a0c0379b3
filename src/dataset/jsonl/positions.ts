/** Columns of keys and values in a line that `JSON.parse` accepts. Looked up on demand: only flagged lines need them. */
import type { JsonPath } from '../json';

/** UTF-16 columns, `end` exclusive. */
export interface TextRange {
  start: number;
  end: number;
}

const BACKSLASH = 0x5c;

/** Calls `visit` for every member of the object and every element of the array that starts at `start`. */
type Visit = (key: string | number, keyRange: TextRange | undefined, value: TextRange) => void;

export class JsonPositions {
  constructor(private readonly text: string) {}

  /** The whole record, without surrounding white space. */
  root(): TextRange {
    const start = this.skipSpace(0);
    return { start, end: this.endOfValue(start) };
  }

  /** Range of the value at `path` (quotes included), or undefined. Of a key that occurs twice the last one counts. */
  value(path: JsonPath): TextRange | undefined {
    let range: TextRange | undefined = this.root();
    for (const part of path) {
      range = this.child(range, part)?.value;
      if (range === undefined) return undefined;
    }
    return range;
  }

  /** Range of the key that `path` ends with (quotes included); for an array element, of the element. */
  key(path: JsonPath): TextRange | undefined {
    const parent = this.value(path.slice(0, -1));
    const last = path[path.length - 1];
    if (parent === undefined || last === undefined) return undefined;
    const child = this.child(parent, last);
    return child?.key ?? child?.value;
  }

  /** Ranges of the elements of the array at `path`; empty for anything else. */
  elements(path: JsonPath): TextRange[] {
    const parent = this.value(path);
    const ranges: TextRange[] = [];
    if (parent !== undefined && this.text.charAt(parent.start) === '[') {
      this.children(parent, (_key, _keyRange, value) => ranges.push(value));
    }
    return ranges;
  }

  /** Keys that an object repeats, with the ranges of all but the last occurrence's member. */
  duplicateKeys(): DuplicateKey[] {
    const found: DuplicateKey[] = [];
    const pending = [this.root()];
    for (let range = pending.pop(); range !== undefined; range = pending.pop()) {
      const seen = new Map<string, TextRange[]>();
      this.children(range, (key, keyRange, value) => {
        const first = this.text.charAt(value.start);
        if (first === '{' || first === '[') pending.push(value);
        if (keyRange === undefined) return;
        const members = seen.get(String(key));
        const member = { start: keyRange.start, end: value.end };
        if (members === undefined) seen.set(String(key), [member]);
        else members.push(member);
      });
      for (const [key, members] of seen) if (members.length > 1) found.push({ key, members });
    }
    return found;
  }

  private child(parent: TextRange, part: string | number) {
    let found: { key: TextRange | undefined; value: TextRange } | undefined;
    this.children(parent, (key, keyRange, value) => {
      if (key === part) found = { key: keyRange, value };
    });
    return found;
  }

  private children(parent: TextRange, visit: Visit): void {
    const { text } = this;
    const open = text.charAt(parent.start);
    if (open !== '{' && open !== '[') return;
    let index = this.skipSpace(parent.start + 1);
    let element = 0;
    while (index < parent.end - 1) {
      let key: string | number = element++;
      let keyRange: TextRange | undefined;
      if (open === '{') {
        keyRange = { start: index, end: this.endOfString(index) };
        key = JSON.parse(text.slice(keyRange.start, keyRange.end)) as string;
        index = this.skipSpace(this.skipSpace(keyRange.end) + 1);
      }
      const value = { start: index, end: this.endOfValue(index) };
      visit(key, keyRange, value);
      index = this.skipSpace(value.end);
      if (text.charAt(index) === ',') index = this.skipSpace(index + 1);
    }
  }

  private endOfValue(start: number): number {
    const { text } = this;
    const first = text.charAt(start);
    if (first === '"') return this.endOfString(start);
    if (first !== '{' && first !== '[') {
      let end = start;
      while (end < text.length && !',]} \t\r\n'.includes(text.charAt(end))) end++;
      return end;
    }
    let depth = 0;
    let index = start;
    while (index < text.length) {
      const char = text.charAt(index);
      if (char === '"') {
        index = this.endOfString(index);
        continue;
      }
      index++;
      if (char === '{' || char === '[') depth++;
      else if ((char === '}' || char === ']') && --depth === 0) break;
    }
    return index;
  }

  private endOfString(start: number): number {
    let quote = this.text.indexOf('"', start + 1);
    while (quote >= 0 && this.isEscaped(quote)) quote = this.text.indexOf('"', quote + 1);
    return quote < 0 ? this.text.length : quote + 1;
  }

  private isEscaped(index: number): boolean {
    let before = index - 1;
    while (this.text.charCodeAt(before) === BACKSLASH) before--;
    return (index - before) % 2 === 0;
  }

  private skipSpace(index: number): number {
    while (/[ \t\r\n]/.test(this.text.charAt(index))) index++;
    return index;
  }
}

export interface DuplicateKey {
  key: string;
  /** Every occurrence, from its key to the end of its value; the last one is what JSON.parse keeps. */
  members: TextRange[];
}
