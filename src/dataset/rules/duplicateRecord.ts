import { deleteLine, type FileRule } from './rule';

/** The same line again. */
export const duplicateRecord: FileRule = {
  id: 'glm/duplicate-record',
  severity: 'warning',
  stage: 'file',

  check(file, report) {
    for (const { line, first, length } of file.duplicates()) {
      report.add(line, {
        start: 0,
        end: length,
        message: 'duplicateRecord',
        args: { first: first + 1 },
        related: [{ line: first, message: 'duplicateFirst', args: {} }],
        fix: deleteLine('deleteDuplicate', true),
      });
    }
  },
};
