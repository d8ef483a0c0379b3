/** A lint result in a few words. */
import { t } from '../host/translate';
import type { LintState } from './lintedDocument';

/** Focuses the Problems view. */
export const SHOW_PROBLEMS = 'workbench.actions.view.problems';

/** `1,204 records`; Chinese groups digits by thousands as English does. */
export function recordCount({ summary }: LintState): string {
  return summary.records === 1
    ? t('1 record')
    : t('{count} records', { count: formatCount(summary.records) });
}

export function problemCount({ counts }: LintState): string {
  const count = counts.error + counts.warning + counts.information;
  if (count === 0) return t('no problems');
  return count === 1 ? t('1 problem') : t('{count} problems', { count: formatCount(count) });
}

function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
