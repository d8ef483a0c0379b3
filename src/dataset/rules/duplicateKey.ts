import type { JsonValue } from '../json';
import { fixOf, type RecordRule, type Report } from './rule';

/** A key that an object has twice: JSON keeps the last one and drops the other without a word. */
export const duplicateKey: RecordRule = {
  id: 'glm/duplicate-key',
  severity: 'error',
  stage: 'record',

  check({ text, positions }, record) {
    if (countKeyMarks(text) === countKeys(record)) return [];
    const reports: Report[] = [];
    for (const { key, members } of positions.duplicateKeys()) {
      for (const [index, member] of members.slice(0, -1).entries()) {
        const keyEnd = member.start + JSON.stringify(key).length;
        const next = members[index + 1];
        reports.push({
          start: member.start,
          end: Math.min(keyEnd, member.end),
          message: 'duplicateKey',
          args: { key },
          ...(next === undefined
            ? {}
            : { fix: fixOf('deleteEarlierKey', member.start, afterComma(text, member.end), '', true) }),
        });
      }
    }
    return reports.sort((a, b) => a.start - b.start);
  },
};

/** A member that is not the last one has a comma behind it. */
function afterComma(text: string, index: number): number {
  return index + (/^\s*,\s*/.exec(text.slice(index, index + 100))?.[0].length ?? 0);
}

/** `":` in the text, escaped quotes not counted. Equal to the number of keys in ordinary lines without repeated keys. */
function countKeyMarks(text: string): number {
  let count = 0;
  for (let i = text.indexOf('":'); i >= 0; i = text.indexOf('":', i + 2)) {
    if (text.charCodeAt(i - 1) !== 0x5c) count++;
  }
  return count;
}

function countKeys(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    if (typeof value[0] === 'number') return 0;
    for (const element of value) count += countKeys(element);
    return count;
  }
  for (const key in value) count += 1 + countKeys(value[key] ?? null);
  return count;
}
