import { problemRange } from './place';
import type { ProblemRule } from './rule';

/** A pre-tokenised row whose lists do not fit together or hold something else than token ids. */
export const tokenRow: ProblemRule = {
  id: 'glm/token-row',
  severity: 'error',
  stage: 'problem',
  codes: ['lengthMismatch', 'badTokenId'],

  check(problem, line) {
    return { ...problemRange(problem, line), message: problem.code, args: problem.args };
  },
};
