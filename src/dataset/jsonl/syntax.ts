/**
 * Where and why a line is not JSON. `JSON.parse` decides whether it is; this scanner only explains a refusal, so that
 * cause and column are the same on every version of the JavaScript engine (whose messages are never read).
 */

export type SyntaxCause =
  | 'empty'
  | 'bom'
  | 'unexpected'
  | 'extraData'
  | 'leadingComma'
  | 'recordComma'
  | 'missingComma'
  | 'missingColon'
  | 'mismatchedBracket'
  | 'unquotedKey'
  | 'badNumber'
  | 'badEscape'
  | 'controlCharacter'
  | 'unescapedQuote'
  | 'fullwidth'
  | 'singleQuotes'
  | 'pythonLiteral'
  | 'comment'
  | 'trailingComma'
  | 'twoRecords'
  | 'truncated'
  | 'unterminatedString';

/** The first error of a line. `start` and `end` are UTF-16 columns with `0 <= start <= end <= length`. */
export interface SyntaxFault {
  cause: SyntaxCause;
  start: number;
  end: number;
}

/** Full-width characters that people type where JSON has ASCII ones. */
export const FULLWIDTH_TO_ASCII: Readonly<Record<string, string>> = {
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '「': '"',
  '」': '"',
  '‘': '"',
  '’': '"',
  '＂': '"',
  '＇': '"',
  '：': ':',
  '，': ',',
  '、': ',',
  '｛': '{',
  '｝': '}',
  '【': '[',
  '】': ']',
  '［': '[',
  '］': ']',
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const KEYWORD = /(?:true|false|null)(?![\p{L}\p{N}_$])/uy;
const PYTHON_LITERAL = /(?:None|True|False|NaN|nan|-?Infinity|-?inf|undefined)(?![\p{L}\p{N}_$])/uy;
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const NEXT_MEMBER = /"(?:[^"\\]|\\.)*"\s*:/y;

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

type Expectation = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'afterValue';

class Scanner {
  private index = 0;
  private readonly closers: string[] = [];
  private expected: Expectation = 'value';

  constructor(private readonly text: string) {}

  run(): SyntaxFault | null {
    for (;;) {
      this.skipSpace();
      const done = this.expected === 'afterValue' && this.closers.length === 0;
      if (this.index >= this.text.length) {
        return done ? null : this.fault('truncated', this.text.length, this.text.length);
      }
      const fault = done ? this.afterRecord() : this.step();
      if (fault !== null) return fault;
    }
  }

  private step(): SyntaxFault | null {
    switch (this.expected) {
      case 'value':
      case 'valueOrEnd':
        return this.value();
      case 'key':
      case 'keyOrEnd':
        return this.key();
      case 'afterValue':
        return this.afterValue();
    }
  }

  private value(): SyntaxFault | null {
    const { text, index } = this;
    const char = text.charAt(index);
    switch (char) {
      case '{':
        return this.open('}', 'keyOrEnd');
      case '[':
        return this.open(']', 'valueOrEnd');
      case '"':
        this.expected = 'afterValue';
        return this.string();
      case ']':
      case '}':
        if (char === ']' && this.expected === 'valueOrEnd') return this.close();
        return this.badCloser(char);
    }
    const keyword = matchAt(KEYWORD, text, index);
    if (keyword !== undefined) return this.pass(keyword.length);
    const python = matchAt(PYTHON_LITERAL, text, index);
    if (python !== undefined) return this.fault('pythonLiteral', index, index + python.length);
    const number = matchAt(NUMBER, text, index);
    if (number !== undefined) return this.number(number.length);
    return this.oddity();
  }

  private number(length: number): SyntaxFault | null {
    const end = this.index + length;
    if (!/[\w.+]/.test(this.text.charAt(end))) return this.pass(length);
    const rest = /^[\w.+-]*/.exec(this.text.slice(end, end + 100))?.[0] ?? '';
    return this.fault('badNumber', this.index, end + rest.length);
  }

  private key(): SyntaxFault | null {
    const { text, index } = this;
    const char = text.charAt(index);
    if (char === '}') {
      return this.expected === 'keyOrEnd' ? this.close() : this.badCloser(char);
    }
    if (char === ']') return this.badCloser(char);
    if (char !== '"') {
      const word = matchAt(WORD, text, index);
      return word === undefined ? this.oddity() : this.fault('unquotedKey', index, index + word.length);
    }
    const fault = this.string();
    if (fault !== null) return fault;
    this.skipSpace();
    const colon = text.charAt(this.index);
    if (colon === ':') {
      this.index++;
      this.expected = 'value';
      return null;
    }
    if (colon === '') return this.fault('truncated', text.length, text.length);
    if (colon === '：') return this.fault('fullwidth', this.index);
    return this.fault('missingColon', this.index);
  }

  private afterValue(): SyntaxFault | null {
    const { text, index } = this;
    const char = text.charAt(index);
    const closer = this.closers[this.closers.length - 1];
    if (char === closer) return this.close();
    if (char === ',') {
      this.index++;
      this.expected = closer === '}' ? 'key' : 'value';
      return null;
    }
    if (char === '}' || char === ']') return this.fault('mismatchedBracket', index);
    if (char === '，' || char === '｝' || char === '】' || char === '］')
      return this.fault('fullwidth', index);
    if (text.startsWith('//', index) || text.startsWith('/*', index)) return this.comment();
    const lastQuote = this.lastTokenEnd() - 1;
    const afterString = text.charCodeAt(lastQuote) === QUOTE;
    if (!afterString || matchAt(NEXT_MEMBER, text, index) !== undefined) {
      return this.fault('missingComma', index);
    }
    if (char === '#') return this.comment();
    return this.fault('unescapedQuote', lastQuote);
  }

  private afterRecord(): SyntaxFault {
    const { text, index } = this;
    const char = text.charAt(index);
    if (char === '{' || char === '[') return this.fault('twoRecords', index, text.length);
    if (char === ',') {
      const rest = /^,\s*/.exec(text.slice(index))?.[0].length ?? 1;
      if (index + rest >= text.length) return this.fault('recordComma', index);
      const next = text.charAt(index + rest);
      return next === '{' || next === '['
        ? this.fault('twoRecords', index, text.length)
        : this.fault('extraData', index, text.length);
    }
    if (char === '#' || text.startsWith('//', index) || text.startsWith('/*', index)) return this.comment();
    if (char === '}' || char === ']') return this.fault('mismatchedBracket', index);
    return this.fault('extraData', index, text.length);
  }

  /** A character that starts neither a value nor a key. */
  private oddity(): SyntaxFault {
    const { text, index } = this;
    const char = text.charAt(index);
    if (char === "'") return this.fault('singleQuotes', index);
    if (char in FULLWIDTH_TO_ASCII) return this.fault('fullwidth', index);
    if (char === '#' || text.startsWith('//', index) || text.startsWith('/*', index)) return this.comment();
    if (char === ',') {
      const previous = text.charAt(this.lastTokenEnd() - 1);
      if (previous === '' || previous === '{' || previous === '[' || previous === ',') {
        return this.fault('leadingComma', index);
      }
    }
    if (text.charCodeAt(index) < 0x20) return this.fault('controlCharacter', index);
    const word = matchAt(WORD, text, index);
    const length = word?.length ?? ((text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1);
    return this.fault('unexpected', index, index + length);
  }

  private badCloser(char: string): SyntaxFault {
    const lastToken = this.lastTokenEnd() - 1;
    const closes = char === this.closers[this.closers.length - 1];
    if (closes && this.text.charAt(lastToken) === ',') return this.fault('trailingComma', lastToken);
    return this.fault(closes ? 'unexpected' : 'mismatchedBracket', this.index);
  }

  private comment(): SyntaxFault {
    const { text, index } = this;
    const close = text.startsWith('/*', index) ? text.indexOf('*/', index + 2) : -1;
    return this.fault('comment', index, close < 0 ? text.length : close + 2);
  }

  private string(): SyntaxFault | null {
    const { text } = this;
    const start = this.index;
    for (let i = start + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === QUOTE) {
        this.index = i + 1;
        return null;
      }
      if (code < 0x20) return this.fault('controlCharacter', i);
      if (code !== BACKSLASH) continue;
      const escape = text.charAt(i + 1);
      if (escape === '') break;
      if (escape === 'u') {
        const digits = /^[0-9a-fA-F]{0,4}/.exec(text.slice(i + 2, i + 6))?.[0].length ?? 0;
        if (digits < 4) return this.fault('badEscape', i, i + 2 + digits);
        i += 5;
      } else if ('"\\/bfnrt'.includes(escape)) {
        i++;
      } else {
        return this.fault('badEscape', i, i + 2);
      }
    }
    return this.fault('unterminatedString', start, text.length);
  }

  private open(closer: string, expected: Expectation): null {
    this.closers.push(closer);
    this.index++;
    this.expected = expected;
    return null;
  }

  private close(): null {
    this.closers.pop();
    return this.pass(1);
  }

  private pass(length: number): null {
    this.index += length;
    this.expected = 'afterValue';
    return null;
  }

  private skipSpace(): void {
    while (isSpace(this.text.charCodeAt(this.index))) this.index++;
  }

  /** Index after the last character before `index` that is not white space. */
  private lastTokenEnd(): number {
    let end = this.index;
    while (end > 0 && isSpace(this.text.charCodeAt(end - 1))) end--;
    return end;
  }

  private fault(cause: SyntaxCause, start: number, end = start + 1): SyntaxFault {
    return { cause, start, end: Math.min(this.text.length, Math.max(start, end)) };
  }
}

/**
 * The first syntax error of `text`, or null where it is JSON (exactly where `JSON.parse` accepts it).
 * Runs in time linear in the length of the text; nesting depth is bounded by memory only.
 */
export function findSyntaxFault(text: string): SyntaxFault | null {
  if (text.charCodeAt(0) === 0xfeff) return { cause: 'bom', start: 0, end: 1 };
  if (/^[ \t\r\n]*$/.test(text)) return { cause: 'empty', start: 0, end: text.length };
  return new Scanner(text).run();
}
