import { deleteLine, fixOf, type SyntaxRule } from './rule';

/** `//`, `#` or a block comment. */
export const comment: SyntaxRule = {
  id: 'glm/comment',
  severity: 'error',
  stage: 'syntax',
  causes: ['comment'],

  check(text, { start, end }) {
    const alone = (text.slice(0, start) + text.slice(end)).trim() === '';
    const fix = alone ? deleteLine('deleteComment', false) : fixOf('deleteComment', start, end, '');
    return { start, end, message: 'comment', args: {}, fix };
  },
};
