import type { FormatId } from '../types';
import type { FileRule, FileView } from './rule';

/** A record in another format than most of the file: tools that read columns fail on it or fill in nulls. */
export const mixedShape: FileRule = {
  id: 'glm/mixed-shape',
  severity: 'warning',
  stage: 'file',

  check(file, report) {
    if (file.formats.size < 2) return;
    const usual = mostFrequent(file);
    if (usual === undefined) return;
    file.entries.forEach(({ format, text }, line) => {
      if (format === null || format === usual) return;
      const start = text.length - text.trimStart().length;
      report.add(line, { start, end: start + 1, message: 'mixedShape', args: { format, usual } });
    });
  },
};

/** Of equally frequent formats the one that comes first in the file. */
function mostFrequent({ entries, formats }: FileView): FormatId | undefined {
  const most = Math.max(...formats.values());
  const first = entries.find(({ format }) => format !== null && formats.get(format) === most);
  return first?.format ?? undefined;
}
