import { problemRange } from './place';
import type { ProblemRule } from './rule';

/** A required field is absent, null or an empty list. */
export const missingField: ProblemRule = {
  id: 'glm/missing-field',
  severity: 'error',
  stage: 'problem',
  codes: ['missingField', 'emptyList'],

  check(problem, line) {
    return { ...problemRange(problem, line), message: problem.code, args: problem.args };
  },
};
