import type { RecordRule } from './rule';

/** `{{` cannot stand outside a string in JSON. Names may be written with \u escapes. */
const PLACEHOLDER =
  /\{\{\s*(?:\\u[0-9a-fA-F]{4}|[\p{L}_])(?:\\u[0-9a-fA-F]{4}|[\p{L}\p{N}_ .-]){0,40}?\s*\}\}/gu;

/** A template variable nobody filled in: the model would learn to say `{{name}}`. */
export const placeholder: RecordRule = {
  id: 'glm/placeholder',
  severity: 'warning',
  stage: 'record',

  check({ text }) {
    if (!text.includes('{{')) return [];
    return [...text.matchAll(PLACEHOLDER)].map((match) => ({
      start: match.index,
      end: match.index + match[0].length,
      message: 'placeholder',
      args: { placeholder: match[0] },
    }));
  },
};
