/** `lint FILE...`: what is wrong with datasets, and where. */
import path from 'node:path';
import { lintFile, type FileLintResult } from '../../dataset';
import type { Finding, Severity } from '../../dataset/types';
import { describeFinding, describeFormat } from '../../text/findings';
import type { CommandContext } from '../context';
import { EXIT_FAILURE, EXIT_OK, InterruptedError } from '../exit';
import { interruptSignal } from '../interrupt';
import type { Colour } from '../output';
import { requireFile } from '../rows/readRows';

export interface LintOptions {
  maxFindings: number;
}

const COLOURS: Record<Severity, Colour> = { error: 'red', warning: 'yellow', information: 'dim' };

export async function lint(context: CommandContext, options: LintOptions, files: string[]): Promise<number> {
  const { signal, dispose } = interruptSignal();
  let errors = 0;
  try {
    for (const file of files) {
      requireFile(file);
      const result = await lintFile(file, { limit: options.maxFindings, signal });
      errors += result.counts.error;
      if (context.output.json) writeRecords(context, file, result);
      else writeText(context, file, result);
    }
  } catch (error) {
    if (signal.aborted) throw new InterruptedError('', { cause: error });
    throw error;
  } finally {
    dispose();
  }
  return errors > 0 ? EXIT_FAILURE : EXIT_OK;
}

/** One object for every finding (places 1-based, columns in UTF-16 units), then one with the counts of the file. */
function writeRecords({ output, t }: CommandContext, file: string, result: FileLintResult): void {
  for (const finding of result.findings)
    output.record({
      type: 'finding',
      file,
      line: finding.line + 1,
      column: finding.start + 1,
      end_column: finding.end + 1,
      severity: finding.severity,
      rule: finding.rule,
      message: describeFinding(t, finding),
    });
  const { lines, records, formats, counts, omitted } = result;
  output.record({
    type: 'summary',
    file,
    lines,
    records,
    formats: Object.fromEntries(formats),
    counts,
    omitted,
  });
}

function writeText({ output, t }: CommandContext, file: string, result: FileLintResult): void {
  const shown = path.relative(process.cwd(), path.resolve(file)) || file;
  for (const finding of result.findings) output.result(`${shown}:${findingLine(t, finding, output)}`);
  if (result.omitted > 0) output.result(t('{count} more findings are not shown.', { count: result.omitted }));
  const formats = result.formats.map(([format]) => describeFormat(t, format)).join(', ');
  output.result(
    t(
      '{file}: {lines} lines, {records} usable ({formats}); {errors} errors, {warnings} warnings, {notes} notes',
      {
        file: shown,
        lines: result.lines,
        records: result.records,
        formats: formats || t('unknown format'),
        errors: result.counts.error,
        warnings: result.counts.warning,
        notes: result.counts.information,
      },
    ),
  );
}

function findingLine(t: CommandContext['t'], finding: Finding, output: CommandContext['output']): string {
  const label = output.paint(severityLabel(t, finding.severity), COLOURS[finding.severity]);
  return `${finding.line + 1}:${finding.start + 1}: ${label}: ${describeFinding(t, finding)} [${finding.rule}]`;
}

function severityLabel(t: CommandContext['t'], severity: Severity): string {
  switch (severity) {
    case 'error':
      return t('error');
    case 'warning':
      return t('warning');
    case 'information':
      return t('note');
  }
}
