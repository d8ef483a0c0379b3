import { problemRange } from './place';
import type { ProblemRule } from './rule';

/** Tools or a tool call that cannot be read. */
export const toolShape: ProblemRule = {
  id: 'glm/tool-shape',
  severity: 'error',
  stage: 'problem',
  codes: ['toolsNotJson', 'toolCallNotJson'],

  check(problem, line) {
    const severity = problem.fatal ? 'error' : 'warning';
    return { ...problemRange(problem, line), message: problem.code, args: problem.args, severity };
  },
};
