import { fixOf, type TextRule } from './rule';

/** A byte order mark. We read past it; most other tools fail on the line. */
export const bom: TextRule = {
  id: 'glm/bom',
  severity: 'warning',
  stage: 'text',

  check(text) {
    if (text.charCodeAt(0) !== 0xfeff) return [];
    return [{ start: 0, end: 1, message: 'bom', args: {}, fix: fixOf('deleteBom', 0, 1, '') }];
  },
};
