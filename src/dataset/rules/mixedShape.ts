import type { FormatId } from '../types';
import type { FileRule } from './rule';

/** A record in another format than most of the file: tools that read columns fail on it or fill in nulls. */
export const mixedShape: FileRule = {
  id: 'glm/mixed-shape',
  severity: 'warning',
  stage: 'file',

  check({ entries, formats }, report) {
    const usual = mostFrequent(formats);
    if (usual === undefined || formats.size < 2) return;
    entries.forEach(({ format, text }, line) => {
      if (format === null || format === usual) return;
      const start = text.length - text.trimStart().length;
      report.add(line, { start, end: start + 1, message: 'mixedShape', args: { format, usual } });
    });
  },
};

/** Of equally frequent formats the one seen first. */
function mostFrequent(formats: ReadonlyMap<FormatId, number>): FormatId | undefined {
  let best: FormatId | undefined;
  for (const [format, count] of formats) {
    if (best === undefined || count > (formats.get(best) ?? 0)) best = format;
  }
  return best;
}
