/** Role names of the formats, and what was probably meant by another one. */
import type { Role } from '../types';

/** A role of the file; `toolCall` is an assistant turn whose text is a call. */
export type FileRole = Role | 'toolCall';

/** `role` of messages (ChatGLM3, GLM-4, OpenAI). */
export const MESSAGE_ROLES: ReadonlyMap<string, FileRole> = new Map<string, FileRole>([
  ['system', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['observation', 'observation'],
  ['tool', 'observation'],
  ['function', 'observation'],
]);

/** `from` of ShareGPT, with the names of its dialects. */
export const SHAREGPT_ROLES: ReadonlyMap<string, FileRole> = new Map<string, FileRole>([
  ['system', 'system'],
  ['human', 'user'],
  ['user', 'user'],
  ['gpt', 'assistant'],
  ['assistant', 'assistant'],
  ['chatgpt', 'assistant'],
  ['bing', 'assistant'],
  ['bard', 'assistant'],
  ['observation', 'observation'],
  ['tool', 'observation'],
  ['function', 'observation'],
  ['function_call', 'toolCall'],
  ['tool_call', 'toolCall'],
]);

const USUAL_MEANING: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['human', 'user'],
  ['gpt', 'assistant'],
  ['bot', 'assistant'],
  ['ai', 'assistant'],
  ['model', 'assistant'],
  ['chatbot', 'assistant'],
  ['chatglm', 'assistant'],
  ['answer', 'assistant'],
  ['question', 'user'],
  ['prompt', 'user'],
  ['instruction', 'system'],
  ['developer', 'system'],
  ['用户', 'user'],
  ['助手', 'assistant'],
  ['系统', 'system'],
]);

/** The name in `roles` that was probably meant, or an empty string. */
export function suggestRole(name: string, roles: ReadonlyMap<string, FileRole>): string {
  const lower = name.trim().toLowerCase();
  if (roles.has(lower)) return lower;
  const meaning = USUAL_MEANING.get(lower);
  if (meaning !== undefined) {
    for (const [known, role] of roles) if (role === meaning) return known;
  }
  if (lower.length < 3 || lower.length > 20) return '';
  let best = '';
  let bestDistance = 3;
  for (const known of roles.keys()) {
    const distance = editDistance(lower, known);
    if (distance < bestDistance && distance * 3 <= known.length) {
      best = known;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = a[row - 1] === b[column - 1] ? 0 : 1;
      current[column] = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + substitution,
      );
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
