/** Where a key's value stands in a JSON text. Pure; tolerant of what follows the value. */

export interface TextRange {
  start: number;
  end: number;
}

/**
 * Range of the value at `path` (`['dataset', 'train']`), in UTF-16 offsets.
 * Null where the text has no such key or is not JSON up to there.
 */
export function valueRange(text: string, path: readonly string[]): TextRange | null {
  try {
    return new Scanner(text).find(path);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const SPACE = /\s*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /[^\s,\]}]+/y;

class Scanner {
  private at = 0;

  constructor(private readonly text: string) {}

  find(path: readonly string[]): TextRange | null {
    this.space();
    const [key, ...rest] = path;
    if (key === undefined) return this.value();
    if (this.text[this.at] !== '{') return null;
    return this.members((name) => (name === key ? { found: this.find(rest) } : null));
  }

  /** Calls `visit` before each member's value; ends with what the first visit found. */
  private members(visit: (name: string) => { found: TextRange | null } | null): TextRange | null {
    this.at += 1;
    this.space();
    while (this.text[this.at] !== '}') {
      const name = JSON.parse(this.take(STRING)) as string;
      this.space();
      this.expect(':');
      this.space();
      const visited = visit(name);
      if (visited) return visited.found;
      this.value();
      this.space();
      if (this.text[this.at] === ',') this.at += 1;
      this.space();
    }
    this.at += 1;
    return null;
  }

  private value(): TextRange {
    const start = this.at;
    const first = this.text[this.at];
    if (first === '{') this.members(() => null);
    else if (first === '[') this.elements();
    else this.take(first === '"' ? STRING : SCALAR);
    return { start, end: this.at };
  }

  private elements(): void {
    this.at += 1;
    this.space();
    while (this.text[this.at] !== ']') {
      this.value();
      this.space();
      if (this.text[this.at] === ',') this.at += 1;
      this.space();
    }
    this.at += 1;
  }

  private space(): void {
    this.take(SPACE);
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw new SyntaxError(`no ${character}`);
    this.at += 1;
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) throw new SyntaxError(`nothing at ${this.at}`);
    this.at = pattern.lastIndex;
    return match[0];
  }
}
