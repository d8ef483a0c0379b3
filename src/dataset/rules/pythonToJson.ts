/** Python literals (what `print(record)` or `str(record)` leaves in a file) as JSON. */

const WORDS: ReadonlyMap<string, string> = new Map([
  ['None', 'null'],
  ['True', 'true'],
  ['False', 'false'],
  ['nan', 'null'],
  ['NaN', 'null'],
]);

const STRING = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/uy;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  a: '\u0007',
  v: '\u000b',
  '0': '\0',
};

/** The line as JSON, or undefined where it is not a Python literal either. Tuples become lists. */
export function pythonToJson(text: string): string | undefined {
  let json = '';
  let index = 0;
  while (index < text.length) {
    const string = matchAt(STRING, text, index);
    if (string !== undefined) {
      json += JSON.stringify(decodeString(string.slice(1, -1)));
      index += string.length;
      continue;
    }
    const word = matchAt(WORD, text, index);
    if (word !== undefined) {
      json += WORDS.get(word) ?? word;
      index += word.length;
      continue;
    }
    json += bracket(text.charAt(index++));
  }
  json = json.replace(/,(\s*[\]}])(?=[^"]*(?:"(?:[^"\\]|\\.)*"[^"]*)*$)/g, '$1');
  try {
    JSON.parse(json);
    return json;
  } catch {
    return undefined;
  }
}

function bracket(char: string): string {
  return char === '(' ? '[' : char === ')' ? ']' : char;
}

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}

function decodeString(body: string): string {
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gsu,
    (whole, x?: string, u?: string, long?: string, char?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) {
        const code = parseInt(hex, 16);
        return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
      }
      if (char === "'" || char === '"' || char === '\\') return char;
      return SIMPLE_ESCAPES[char ?? ''] ?? whole;
    },
  );
}
