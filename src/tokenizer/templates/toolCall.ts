/** Reads `tool_call(city='北京', days=3)`: keyword arguments with Python literals, without evaluating anything. */

export type ToolValue = string | number | boolean | null | ToolValue[] | { [key: string]: ToolValue };
export type ToolArguments = { [name: string]: ToolValue };

const MAX_DEPTH = 64;
const IDENTIFIER = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
const SPACE = /(?:\s|#[^\n]*)*/y;
const STRING_PREFIX = /[rRuU]?(?='|")/y;

const KEYWORDS: Readonly<Record<string, boolean | null>> = {
  True: true,
  False: false,
  None: null,
  true: true,
  false: false,
  null: null,
};

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '0': '\0',
  '\n': '',
};

class NotACall extends Error {}

/** The arguments of a call, or null if the text is not one call with keyword arguments of plain values. */
export function parseToolCall(text: string): ToolArguments | null {
  try {
    return new Reader(text).call();
  } catch (error) {
    if (error instanceof NotACall) return null;
    throw error;
  }
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  call(): ToolArguments {
    this.space();
    this.require(IDENTIFIER);
    this.space();
    this.token('(');
    const values: ToolArguments = Object.create(null) as ToolArguments;
    this.list(')', () => {
      const name = this.require(IDENTIFIER);
      this.space();
      this.token('=');
      values[name] = this.value(0);
    });
    this.space();
    if (this.at < this.text.length) throw new NotACall();
    return { ...values };
  }

  private value(depth: number): ToolValue {
    if (depth > MAX_DEPTH) throw new NotACall();
    this.space();
    const next = this.text[this.at];
    if (next === '[' || next === '(') return this.sequence(next, depth);
    if (next === '{') return this.mapping(depth);
    const prefix = this.match(STRING_PREFIX);
    if (prefix !== null) return this.strings(prefix.toLowerCase() === 'r');
    const number = this.match(NUMBER);
    if (number !== null) return Number(number.replaceAll('_', ''));
    const word = this.require(IDENTIFIER);
    if (!Object.hasOwn(KEYWORDS, word)) throw new NotACall();
    return KEYWORDS[word];
  }

  private sequence(open: '[' | '(', depth: number): ToolValue {
    this.at++;
    const items: ToolValue[] = [];
    const commas = this.list(open === '[' ? ']' : ')', () => items.push(this.value(depth + 1)));
    // (x) is x, (x,) is a tuple.
    return open === '(' && items.length === 1 && commas === 0 ? items[0] : items;
  }

  private mapping(depth: number): ToolValue {
    this.at++;
    const values: { [key: string]: ToolValue } = Object.create(null) as { [key: string]: ToolValue };
    this.list('}', () => {
      const key = this.value(depth + 1);
      if (typeof key === 'object' && key !== null) throw new NotACall();
      this.space();
      this.token(':');
      values[String(key)] = this.value(depth + 1);
    });
    return { ...values };
  }

  /** Items separated by commas up to `close`; returns the number of commas. */
  private list(close: string, item: () => void): number {
    let commas = 0;
    for (;;) {
      this.space();
      if (this.text[this.at] === close) break;
      item();
      this.space();
      if (this.text[this.at] !== ',') break;
      this.at++;
      commas++;
    }
    this.token(close);
    return commas;
  }

  /** A string literal, and those that directly follow it. */
  private strings(raw: boolean): string {
    let result = this.string(raw);
    for (;;) {
      this.space();
      const prefix = this.match(STRING_PREFIX);
      if (prefix === null) return result;
      result += this.string(prefix.toLowerCase() === 'r');
    }
  }

  private string(raw: boolean): string {
    const quote = this.text[this.at];
    const fence = this.text.startsWith(quote.repeat(3), this.at) ? quote.repeat(3) : quote;
    this.at += fence.length;
    let result = '';
    while (!this.text.startsWith(fence, this.at)) {
      if (this.at >= this.text.length) throw new NotACall();
      const character = this.text[this.at++];
      if (character !== '\\') result += character;
      else if (raw) result += character + (this.text[this.at++] ?? '');
      else result += this.escape();
    }
    this.at += fence.length;
    return result;
  }

  private escape(): string {
    const kind = this.text[this.at++];
    if (kind === undefined) throw new NotACall();
    const digits = { x: 2, u: 4, U: 8 }[kind];
    if (digits === undefined) return ESCAPES[kind] ?? (/['"\\]/.test(kind) ? kind : `\\${kind}`);
    const hex = this.text.slice(this.at, this.at + digits);
    const codePoint = Number.parseInt(hex, 16);
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== digits || codePoint > 0x10ffff) throw new NotACall();
    this.at += digits;
    return String.fromCodePoint(codePoint);
  }

  private space(): void {
    this.match(SPACE);
  }

  private token(expected: string): void {
    if (this.text[this.at] !== expected) throw new NotACall();
    this.at++;
  }

  private require(pattern: RegExp): string {
    const found = this.match(pattern);
    if (found === null) throw new NotACall();
    return found;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }
}
