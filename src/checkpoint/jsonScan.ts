/** What `JSON.parse` lets pass and a hostile file could use: equal keys, and nesting that exhausts the stack of whoever walks it. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Files of a model nest three levels. */
const MAX_DEPTH = 64;

/**
 * Whether values nest deeper than any file of a model does.
 * @param text valid JSON
 */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = stringEnd(text, i) - 1;
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth++;
        if (depth > MAX_DEPTH) return true;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
    }
  }
  return false;
}

/**
 * First key that occurs twice in the outermost object.
 * @param text valid JSON whose value is an object
 * @returns the key, or null
 */
export function duplicateKey(text: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const end = stringEnd(text, i);
        if (depth === 1 && expectsKey) {
          const key = JSON.parse(text.slice(i, end)) as string;
          if (seen.has(key)) return key;
          seen.add(key);
          expectsKey = false;
        }
        i = end - 1;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        depth++;
        expectsKey = depth === 1;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      case 0x2c: // ,
        expectsKey = depth === 1;
        break;
    }
  }
  return null;
}

/** Index behind the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i + 1;
  }
  return text.length;
}
