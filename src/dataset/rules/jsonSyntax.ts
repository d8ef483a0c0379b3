import type { SyntaxCause, SyntaxFault } from '../jsonl/syntax';
import type { TextFix } from '../types';
import { fixOf, type SyntaxRule } from './rule';

const MESSAGES = {
  empty: 'nothing',
  unexpected: 'unexpected',
  extraData: 'extraData',
  leadingComma: 'leadingComma',
  recordComma: 'recordComma',
  missingComma: 'missingComma',
  missingColon: 'missingColon',
  mismatchedBracket: 'mismatchedBracket',
  unquotedKey: 'unquotedKey',
  badNumber: 'badNumber',
  badEscape: 'badEscape',
} satisfies Partial<Record<SyntaxCause, string>>;

/** Everything that breaks JSON and has no rule of its own. */
export const jsonSyntax: SyntaxRule = {
  id: 'glm/json-syntax',
  severity: 'error',
  stage: 'syntax',
  causes: Object.keys(MESSAGES) as SyntaxCause[],

  check(text, fault) {
    const { start, end } = fault;
    const found = text.slice(start, Math.min(end, start + 40));
    const message = MESSAGES[fault.cause as keyof typeof MESSAGES];
    const report = { start, end, message, args: { found, column: start + 1 } };
    const fix = fixFor(text, fault);
    return fix === undefined ? report : { ...report, fix };
  },
};

function fixFor(text: string, { cause, start, end }: SyntaxFault): TextFix | undefined {
  switch (cause) {
    case 'leadingComma':
    case 'recordComma':
      return fixOf('deleteComma', start, end, '');
    case 'missingComma':
      return fixOf('insertComma', start, start, ',');
    case 'unquotedKey':
      return fixOf('quoteKey', start, end, `"${text.slice(start, end)}"`);
    case 'badEscape':
      if (text.charAt(start + 1) === "'") return fixOf('deleteBackslash', start, start + 1, '');
      return fixOf('escapeBackslash', start, start, '\\');
    default:
      return undefined;
  }
}
