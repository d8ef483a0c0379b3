import { fixOf, type Report, type SyntaxRule } from './rule';
import { pythonToJson } from './pythonToJson';

/** A Python dictionary, or None, True, False, NaN in JSON. */
export const pythonLiteral: SyntaxRule = {
  id: 'glm/python-literal',
  severity: 'error',
  stage: 'syntax',
  causes: ['pythonLiteral', 'singleQuotes'],

  check(text, { cause, start, end }) {
    const found = text.slice(start, end);
    if (cause === 'singleQuotes') {
      const report: Report = { start, end, message: 'singleQuotes', args: {} };
      const json = pythonToJson(text);
      return json === undefined
        ? report
        : { ...report, fix: fixOf('convertFromPython', 0, text.length, json) };
    }
    const json = found === 'True' ? 'true' : found === 'False' ? 'false' : 'null';
    return {
      start,
      end,
      message: 'pythonLiteral',
      args: { found, json },
      fix: fixOf('replacePythonLiteral', start, end, json),
    };
  },
};
