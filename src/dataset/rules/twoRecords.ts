import { fixOf, type SyntaxRule } from './rule';

/** A second record on the same line. */
export const twoRecords: SyntaxRule = {
  id: 'glm/two-records',
  severity: 'error',
  stage: 'syntax',
  causes: ['twoRecords'],

  check(text, fault) {
    const next = fault.start + (/^,?\s*/.exec(text.slice(fault.start))?.[0].length ?? 0);
    const firstEnd = text.slice(0, fault.start).trimEnd().length;
    return {
      start: next,
      end: fault.end,
      message: 'twoRecords',
      args: {},
      fix: fixOf('splitLine', firstEnd, next, '\n'),
    };
  },
};
