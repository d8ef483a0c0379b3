import { findSyntaxFault } from '../jsonl/syntax';
import type { TextFix } from '../types';
import type { SyntaxRule } from './rule';

const MOST_ATTEMPTS = 40;
const LONGEST_LINE = 200_000;

/** A quote inside a string that ends the string too early. */
export const unescapedQuote: SyntaxRule = {
  id: 'glm/unescaped-quote',
  severity: 'error',
  stage: 'syntax',
  causes: ['unescapedQuote'],

  check(text, { start, end }) {
    const report = { start, end, message: 'unescapedQuote', args: {} };
    const fix = escapeInnerQuotes(text, start);
    return fix === undefined ? report : { ...report, fix };
  },
};

/**
 * Looks for the quote that really ends the string: the first one, followed by `,`, `:` or a closing bracket, with which
 * the line parses. If none makes the whole line parse, the first after which the next member follows.
 */
function escapeInnerQuotes(text: string, firstInner: number): TextFix | undefined {
  if (text.length > LONGEST_LINE) return undefined;
  const inner = [firstInner];
  let fallback: number[] | undefined;
  let attempts = 0;
  for (const quote of quotesAfter(text, firstInner)) {
    const rest = text.slice(quote + 1, quote + 200);
    if (/^\s*(?:[,:\]}]|$)/.test(rest)) {
      if (++attempts > MOST_ATTEMPTS) break;
      const fault = findSyntaxFault(insertBackslashes(text, inner));
      if (fault === null) return escapeFix(inner);
      const memberFollows = /^\s*(?:,\s*"[^"]*"\s*:|\}\s*(?:$|[\],}]))/.test(rest);
      if (memberFollows && fault.start > quote + inner.length) fallback ??= [...inner];
    }
    inner.push(quote);
  }
  return fallback === undefined ? undefined : escapeFix(fallback);
}

function* quotesAfter(text: string, index: number): Generator<number> {
  for (let i = index + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\') i++;
    else if (char === '"') yield i;
  }
}

function insertBackslashes(text: string, columns: readonly number[]): string {
  let result = '';
  let from = 0;
  for (const column of columns) {
    result += text.slice(from, column) + '\\';
    from = column;
  }
  return result + text.slice(from);
}

function escapeFix(columns: readonly number[]): TextFix {
  return {
    title: 'escapeQuotes',
    edits: columns.map((column) => ({ start: column, end: column, text: '\\' })),
  };
}
