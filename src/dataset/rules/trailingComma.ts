import { fixOf, type SyntaxRule } from './rule';

/** A comma before `}` or `]`. */
export const trailingComma: SyntaxRule = {
  id: 'glm/trailing-comma',
  severity: 'error',
  stage: 'syntax',
  causes: ['trailingComma'],

  check(_text, { start, end }) {
    return { start, end, message: 'trailingComma', args: {}, fix: fixOf('deleteComma', start, end, '') };
  },
};
