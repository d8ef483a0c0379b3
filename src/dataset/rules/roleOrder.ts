import type { Problem } from '../formats/problem';
import type { TextFix } from '../types';
import { problemRange } from './place';
import { fixOf, type ParsedLine, type ProblemRule } from './rule';

/** Turns in an order the model has never seen. */
export const roleOrder: ProblemRule = {
  id: 'glm/role-order',
  severity: 'error',
  stage: 'problem',
  codes: [
    'repeatedRole',
    'systemNotFirst',
    'startsWithAssistant',
    'observationFirst',
    'observationWithoutCall',
    'endsWithoutAnswer',
  ],

  check(problem, line) {
    const report = { ...problemRange(problem, line), message: problem.code, args: problem.args };
    const fix = problem.code === 'endsWithoutAnswer' ? deleteTurns(problem, line) : undefined;
    const severity = problem.fatal ? 'error' : 'warning';
    return fix === undefined ? { ...report, severity } : { ...report, severity, fix };
  },
};

/** Deletes the turn of the problem and all after it. */
function deleteTurns(problem: Problem, line: ParsedLine): TextFix | undefined {
  const [list, index] = problem.path;
  if (typeof list !== 'string' || typeof index !== 'number') return undefined;
  const turns = line.positions.elements([list]);
  const previous = turns[index - 1];
  const last = turns[turns.length - 1];
  if (previous === undefined || last === undefined) return undefined;
  return fixOf('deleteTurns', previous.end, last.end, '', true);
}
