import { problemRange } from './place';
import { deleteLine, type ProblemRule } from './rule';

/** A blank answer or prompt. Other trainers drop such records without a word. */
export const emptyAnswer: ProblemRule = {
  id: 'glm/empty-answer',
  severity: 'error',
  stage: 'problem',
  codes: ['emptyAnswer', 'emptyPrompt'],

  check(problem, line) {
    const fix = deleteLine('deleteRecord', true);
    return { ...problemRange(problem, line), message: problem.code, args: problem.args, fix };
  },
};
