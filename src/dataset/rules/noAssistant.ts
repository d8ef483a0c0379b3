import { problemRange } from './place';
import type { ProblemRule } from './rule';

/** Nothing in the record is trained. */
export const noAssistant: ProblemRule = {
  id: 'glm/no-assistant',
  severity: 'error',
  stage: 'problem',
  codes: ['noAssistant', 'nothingTrained'],

  check(problem, line) {
    return { ...problemRange(problem, line), message: problem.code, args: problem.args };
  },
};
