import { fixOf, type ProblemRule } from './rule';

/** A line that is a JSON array: usually a `.json` dataset under the name `.jsonl`. */
export const arrayRecord: ProblemRule = {
  id: 'glm/array-file',
  severity: 'error',
  stage: 'problem',
  codes: ['arrayRecord'],

  check(_problem, { text, positions }) {
    const { start, end } = positions.root();
    const records = positions.elements([]).map((element) => text.slice(element.start, element.end));
    const report = { start, end: start + 1, message: 'arrayRecord', args: {} };
    if (records.length === 0) return report;
    return { ...report, fix: fixOf('convertArray', start, end, records.join('\n')) };
  },
};
