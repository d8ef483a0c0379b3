import { problemRange } from './place';
import { fixOf, type ProblemRule } from './rule';

/** A field holds another type than the format says. */
export const wrongType: ProblemRule = {
  id: 'glm/wrong-type',
  severity: 'error',
  stage: 'problem',
  codes: ['wrongType', 'badHistoryTurn'],

  check(problem, line) {
    const report = { ...problemRange(problem, line), message: problem.code, args: problem.args };
    const value = line.positions.value(problem.path);
    if (problem.code !== 'wrongType' || problem.args.expected !== 'string' || value === undefined)
      return report;
    const text = JSON.stringify(line.text.slice(value.start, value.end));
    return { ...report, fix: fixOf('makeString', value.start, value.end, text, true) };
  },
};
