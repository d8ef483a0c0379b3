import type { SyntaxRule } from './rule';

/** The line ends inside the record. What is missing cannot be known, so there is no fix. */
export const truncatedRecord: SyntaxRule = {
  id: 'glm/truncated-record',
  severity: 'error',
  stage: 'syntax',
  causes: ['truncated', 'unterminatedString'],

  check(text, { cause, start, end }) {
    if (cause === 'unterminatedString') return { start, end, message: 'unterminatedString', args: {} };
    const last = text.trimEnd().length;
    return { start: Math.max(0, last - 1), end: last, message: 'truncated', args: {} };
  },
};
