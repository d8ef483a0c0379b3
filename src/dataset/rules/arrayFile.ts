import type { FileRule, LineEntry } from './rule';

/** A JSON array over many lines: one finding in place of one for each line. */
export const arrayFile: FileRule = {
  id: 'glm/array-file',
  severity: 'error',
  stage: 'file',

  check({ entries }, report) {
    const first = entries.findIndex(isFilled);
    const opening = entries[first];
    if (opening?.kind !== 'invalid' || !opening.text.trimStart().startsWith('[')) return;
    const last = entries.findLastIndex(isFilled);
    if (last === first || !entries[last]?.text.trimEnd().endsWith(']')) return;
    const column = opening.text.indexOf('[');
    report.add(first, {
      start: column,
      end: column + 1,
      message: 'arrayFile',
      args: {},
      fix: { title: 'convertArray', edits: [] },
    });
    report.cover(first, last);
  },
};

function isFilled(entry: LineEntry): boolean {
  return entry.kind !== 'blank';
}
