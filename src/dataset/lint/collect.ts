/** From the results of all lines to the findings of a file. */
import { FILE_RULES } from '../rules';
import type { FileView, LineFinding } from '../rules/rule';
import type { Finding, RuleId, Severity } from '../types';
import { complete } from './lintLine';

export type SeverityCounts = Record<Severity, number>;

export interface CollectedFindings {
  /** In file order; at most `limit`, errors before warnings before information. */
  findings: Finding[];
  /** All of them, shown or not. */
  counts: SeverityCounts;
  /** How many `limit` left out. */
  omitted: number;
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'information'];

/** Runs the file rules and gathers what they and the lines found. */
export function collectFindings(file: FileView, limit = Number.POSITIVE_INFINITY): CollectedFindings {
  const added: Finding[] = [];
  const covered = new Set<number>();
  const hidden = new Set<RuleId>();
  for (const rule of FILE_RULES) {
    rule.check(file, {
      add: (line, report) => {
        if (!covered.has(line)) added.push({ ...complete(rule, report), line });
      },
      hide: (id) => hidden.add(id),
      cover: (from, to) => {
        for (let line = from; line <= to; line++) {
          if (file.entries[line]?.kind !== 'record') covered.add(line);
        }
      },
    });
  }
  const bySeverity: Record<Severity, Finding[]> = { error: [], warning: [], information: [] };
  const counts: SeverityCounts = { error: 0, warning: 0, information: 0 };
  const keep = (finding: LineFinding, line: number) => {
    counts[finding.severity]++;
    const bucket = bySeverity[finding.severity];
    if (bucket.length < limit) bucket.push({ ...finding, line });
  };
  for (const line of file.flagged()) {
    if (line >= file.lineCount || covered.has(line)) continue;
    for (const finding of file.entries[line]?.findings ?? []) {
      if (!hidden.has(finding.rule)) keep(finding, line);
    }
  }
  for (const finding of added) keep(finding, finding.line);
  const findings = SEVERITIES.flatMap((severity) => bySeverity[severity]).slice(0, limit);
  const total = counts.error + counts.warning + counts.information;
  findings.sort((a, b) => a.line - b.line || a.start - b.start);
  return { findings, counts, omitted: total - findings.length };
}
