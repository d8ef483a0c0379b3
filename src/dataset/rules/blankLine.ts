import { deleteLine, type TextRule } from './rule';

/** An empty line (the runner calls it for no other) between records: skipped here, an error or an empty record elsewhere. */
export const blankLine: TextRule = {
  id: 'glm/blank-line',
  severity: 'warning',
  stage: 'text',

  check(text) {
    const fix = deleteLine('deleteBlankLine', false);
    return [{ start: 0, end: text.length, message: 'blankLine', args: {}, fix }];
  },
};
