/** The dataset room: JSONL text in; findings and training records out. */
export { detectFormat, normaliseRecord, type NormalisedRecord, type RejectedRecord } from './formats';
export { readLines, type FileLine } from './jsonl/reader';
export type { CollectedFindings, SeverityCounts } from './lint/collect';
export { DocumentLinter, type DocumentSummary, type LineChange } from './lint/documentLinter';
export { lintFile, lintText, type FileLintOptions, type FileLintResult } from './lint/fileLinter';
export { lintLine, type LintedLine } from './lint/lintLine';
export { applyEdits, mendDocument, mendLine, type LineReplacement } from './lint/mend';
export { readRecords } from './records';
export type * from './types';
