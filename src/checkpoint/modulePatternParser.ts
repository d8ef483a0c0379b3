/** The syntax of module patterns: what Python's and JavaScript's regular expressions share. */

/** A pattern that cannot be read, or that costs more than any honest one. */
export class ModulePatternError extends Error {}

/** A pattern as a tree. */
export type PatternNode =
  | { kind: 'character'; accepts(code: number): boolean }
  | { kind: 'sequence'; parts: PatternNode[] }
  | { kind: 'choice'; options: PatternNode[] }
  | { kind: 'repeat'; part: PatternNode; least: number; most: number }
  | { kind: 'look'; part: PatternNode; wanted: boolean }
  | { kind: 'place'; holds(text: string, position: number): boolean };

const DEEPEST = 64;

const WORD = /[A-Za-z0-9_]/;
const CLASSES: Readonly<Record<string, RegExp>> = { d: /[0-9]/, w: WORD, s: /[ \t\n\r\f\v]/ };
const CONTROL: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f', v: '\v' };

/** Reads a pattern. Throws ModulePatternError, also for back references and look-behind. */
export function parseModulePattern(pattern: string): PatternNode {
  return new Parser(pattern).parse();
}

class Parser {
  private position = 0;
  private depth = 0;

  constructor(private readonly pattern: string) {}

  parse(): PatternNode {
    const node = this.alternatives();
    if (this.position < this.pattern.length) this.fail();
    return node;
  }

  private fail(): never {
    throw new ModulePatternError(`at ${this.position}`);
  }

  private get next(): string {
    return this.pattern[this.position] ?? '';
  }

  private take(text: string): boolean {
    if (!this.pattern.startsWith(text, this.position)) return false;
    this.position += text.length;
    return true;
  }

  private alternatives(): PatternNode {
    if (++this.depth > DEEPEST) this.fail();
    const options = [this.sequence()];
    while (this.take('|')) options.push(this.sequence());
    this.depth--;
    return options.length === 1 ? options[0] : { kind: 'choice', options };
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.next !== '' && this.next !== '|' && this.next !== ')') parts.push(this.repetition());
    return { kind: 'sequence', parts };
  }

  private repetition(): PatternNode {
    let part = this.atom();
    for (;;) {
      const range = this.range();
      if (!range) return part;
      if (part.kind === 'look' || part.kind === 'place') this.fail();
      // Lazy and greedy repetition differ in what is captured, not in what fits.
      this.take('?');
      part = { kind: 'repeat', part, ...range };
    }
  }

  private range(): { least: number; most: number } | null {
    if (this.take('*')) return { least: 0, most: Infinity };
    if (this.take('+')) return { least: 1, most: Infinity };
    if (this.take('?')) return { least: 0, most: 1 };
    const braces = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(this.pattern.slice(this.position, this.position + 12));
    if (!braces) return null;
    this.position += braces[0].length;
    const least = Number(braces[1]);
    const most = braces[2] === undefined ? least : braces[3] === undefined ? Infinity : Number(braces[3]);
    if (most < least) this.fail();
    return { least, most };
  }

  private atom(): PatternNode {
    const character = this.next;
    if ('*+?{'.includes(character)) this.fail();
    this.position++;
    switch (character) {
      case '(':
        return this.group();
      case '[':
        return this.characterClass();
      case '.':
        return { kind: 'character', accepts: (code) => code !== 10 };
      case '^':
        return { kind: 'place', holds: (_, at) => at === 0 };
      case '$':
        return { kind: 'place', holds: (text, at) => at === text.length };
      case '\\':
        return this.escape();
      default:
        return literal(character);
    }
  }

  private group(): PatternNode {
    const look = this.take('?=') ? true : this.take('?!') ? false : null;
    if (look === null && !this.take('?:') && this.next === '?') {
      const name = /^\?P?<[A-Za-z_]\w*>/.exec(this.pattern.slice(this.position, this.position + 64));
      if (!name) this.fail();
      this.position += name[0].length;
    }
    const part = this.alternatives();
    if (!this.take(')')) this.fail();
    return look === null ? part : { kind: 'look', part, wanted: look };
  }

  private escape(): PatternNode {
    const character = this.next;
    this.position++;
    if (character === 'b' || character === 'B') {
      const wanted = character === 'b';
      const isWord = (text: string, at: number): boolean => at >= 0 && WORD.test(text.charAt(at));
      return {
        kind: 'place',
        holds: (text, at) => (isWord(text, at - 1) !== isWord(text, at)) === wanted,
      };
    }
    if (character === 'A') return { kind: 'place', holds: (_, at) => at === 0 };
    if (character === 'Z') return { kind: 'place', holds: (text, at) => at === text.length };
    const accepts = this.escaped(character);
    return { kind: 'character', accepts };
  }

  /** What `\character` stands for, outside and inside a class. */
  private escaped(character: string): (code: number) => boolean {
    const known = CLASSES[character.toLowerCase()];
    if (known) {
      const wanted = character === character.toLowerCase();
      return (code) => known.test(String.fromCharCode(code)) === wanted;
    }
    const control = CONTROL[character];
    if (control === undefined && (character === '' || WORD.test(character))) this.fail();
    const wanted = (control ?? character).charCodeAt(0);
    return (code) => code === wanted;
  }

  private characterClass(): PatternNode {
    const wanted = !this.take('^');
    const members: ((code: number) => boolean)[] = [];
    do {
      if (this.next === '') this.fail();
      members.push(this.classMember());
    } while (!this.take(']'));
    return {
      kind: 'character',
      accepts: (code) => members.some((accepts) => accepts(code)) === wanted,
    };
  }

  private classMember(): (code: number) => boolean {
    if (this.take('\\')) return this.escaped(this.pattern[this.position++] ?? '');
    const first = this.pattern.charCodeAt(this.position++);
    const isRange = this.next === '-' && ![']', '\\', undefined].includes(this.pattern[this.position + 1]);
    if (!isRange) return (code) => code === first;
    const last = this.pattern.charCodeAt(this.position + 1);
    this.position += 2;
    if (last < first) this.fail();
    return (code) => code >= first && code <= last;
  }
}

function literal(character: string): PatternNode {
  const wanted = character.charCodeAt(0);
  return { kind: 'character', accepts: (code) => code === wanted };
}
