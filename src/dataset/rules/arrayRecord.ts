import { hasKey, isJsonObject, type JsonValue } from '../json';
import { fixOf, type ProblemRule } from './rule';

/** A line that is a JSON array: usually a `.json` dataset under the name `.jsonl`. */
export const arrayRecord: ProblemRule = {
  id: 'glm/array-file',
  severity: 'error',
  stage: 'problem',
  codes: ['arrayRecord'],

  check(_problem, { text, value, positions }) {
    const { start, end } = positions.root();
    const report = { start, end: start + 1, message: 'arrayRecord', args: {} };
    const elements = Array.isArray(value) ? value : [];
    if (elements.length === 0) return report;
    const list = messageList(elements);
    if (list !== undefined) {
      const whole = `{"${list}": ${text.slice(start, end)}}`;
      return { ...report, fix: fixOf('wrapMessages', start, end, whole) };
    }
    const records = positions.elements([]).map((element) => text.slice(element.start, element.end));
    return { ...report, fix: fixOf('convertArray', start, end, records.join('\n')) };
  },
};

/** The key that is missing where the array is the bare list of one record's messages. */
function messageList(elements: readonly JsonValue[]): 'messages' | 'conversations' | undefined {
  if (!elements.every(isJsonObject)) return undefined;
  if (elements.every((element) => hasKey(element, 'role'))) return 'messages';
  return elements.every((element) => hasKey(element, 'from')) ? 'conversations' : undefined;
}
