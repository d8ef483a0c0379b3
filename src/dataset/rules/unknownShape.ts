import { problemRange } from './place';
import type { ProblemRule } from './rule';

/** No format has these keys, or the line is not an object. */
export const unknownShape: ProblemRule = {
  id: 'glm/unknown-shape',
  severity: 'error',
  stage: 'problem',
  codes: ['unknownShape', 'notAnObject'],

  check(problem, line) {
    return { ...problemRange(problem, line), message: problem.code, args: problem.args };
  },
};
