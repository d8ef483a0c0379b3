/** Longest value shown in an error. */
const MOST_CHARACTERS = 120;

/** A value of a stranger's JSON file for an error: never walked, so that nesting without end does no harm. */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return '[…]';
  if (typeof value === 'object' && value !== null) return '{…}';
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
}
