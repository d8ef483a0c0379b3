import { problemRange } from './place';
import { fixOf, type ProblemRule } from './rule';

/** A role the format does not have. */
export const unknownRole: ProblemRule = {
  id: 'glm/unknown-role',
  severity: 'error',
  stage: 'problem',
  codes: ['unknownRole'],

  check(problem, line) {
    const range = problemRange(problem, line);
    const suggestion = problem.code === 'unknownRole' ? problem.args.suggestion : '';
    if (suggestion === '') return { ...range, message: 'unknownRole', args: problem.args };
    const fix = fixOf('renameRole', range.start, range.end, JSON.stringify(suggestion));
    return { ...range, message: 'unknownRoleSuggestion', args: problem.args, fix };
  },
};
