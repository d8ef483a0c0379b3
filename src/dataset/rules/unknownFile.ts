import type { FileRule } from './rule';

/** Not one record of a known format: a log or a table. One finding says so in place of one for each line. */
export const unknownFile: FileRule = {
  id: 'glm/unknown-shape',
  severity: 'error',
  stage: 'file',

  check({ entries, formats }, report) {
    if (formats.size > 0) return;
    for (const [line, { findings }] of entries.entries()) {
      const first = findings.find((finding) => finding.message === 'unknownShape');
      if (first === undefined) continue;
      report.add(line, { start: first.start, end: first.end, message: 'unknownFile', args: first.args });
      report.hide('glm/unknown-shape');
      return;
    }
  },
};
