import { findSyntaxFault } from '../jsonl/syntax';
import { fixOf, type SyntaxRule } from './rule';

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
};

/** A raw character below U+0020: a tab pasted into a string, a NUL of a broken export. */
export const controlCharacter: SyntaxRule = {
  id: 'glm/control-character',
  severity: 'error',
  stage: 'syntax',
  causes: ['controlCharacter'],

  check(text, { start, end }) {
    const char = text.charAt(start);
    const hex = char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    const escaped = SHORT_ESCAPES[char] ?? `\\u${hex.toLowerCase()}`;
    const inString = findSyntaxFault(text.slice(0, start) + escaped + text.slice(end))?.start !== start;
    const fix = inString
      ? fixOf('escapeCharacter', start, end, escaped)
      : fixOf('deleteCharacter', start, end, '');
    return { start, end, message: 'controlCharacter', args: { hex }, fix };
  },
};
