/** Records of a dataset file for training: exactly the lines in which the linter finds no error. */
import { readLines } from './jsonl/reader';
import { lintLine, lintUndecodableLine } from './lint/lintLine';
import type { DroppedLine, LocatedRecord } from './types';

/**
 * Streams a JSONL file in file order; blank lines are skipped. A line that cannot be trained on comes as `dropped` with
 * the error that says why. Throws as `readLines` does.
 */
export async function* readRecords(
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<LocatedRecord | DroppedLine, void, void> {
  for await (const { line, text, validUtf8 } of readLines(path, signal)) {
    const { kind, record, findings } = validUtf8 ? lintLine(text) : lintUndecodableLine(text);
    if (kind === 'blank') continue;
    const error = findings.find((finding) => finding.severity === 'error');
    if (record !== undefined) yield { line: line + 1, record };
    else if (error !== undefined) yield { line: line + 1, dropped: { ...error, line } };
  }
}
