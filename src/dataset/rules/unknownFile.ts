import type { FileRule } from './rule';

/** Not one record of a known format: a log or a table. One finding says so in place of one for each line. */
export const unknownFile: FileRule = {
  id: 'glm/unknown-shape',
  severity: 'error',
  stage: 'file',

  check(file, report) {
    if (file.formats.size > 0) return;
    for (const line of file.flagged()) {
      const first = file.entries[line]?.findings.find((finding) => finding.message === 'unknownShape');
      if (first === undefined) continue;
      report.add(line, { start: first.start, end: first.end, message: 'unknownFile', args: first.args });
      report.hide('glm/unknown-shape');
      return;
    }
  },
};
