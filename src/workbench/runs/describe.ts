/** A run in words, for the tree, the status bar and the panel. */
import type { RunFolder } from '../../host/runs/runFolder';
import type { RunPhase } from '../../host/runs/runState';
import type { Translate } from '../../text/translate';
import { formatDuration, formatNumber } from '../format';

export function phaseLabel(t: Translate, phase: RunPhase): string {
  switch (phase) {
    case 'preparing':
      return t('Preparing');
    case 'training':
      return t('Training');
    case 'stopping':
      return t('Stopping');
    case 'stopped':
      return t('Stopped');
    case 'done':
      return t('Done');
    case 'failed':
      return t('Failed');
    case 'interrupted':
      return t('Interrupted');
  }
}

/** Short: for a tree item or the status bar. */
export function progressSummary(t: Translate, run: RunFolder, language: string): string {
  const { started, lastStep, done } = run.progress;
  if (run.phase === 'done' && done) {
    return t('loss {first} → {last}', {
      first: formatNumber(done.first_loss, language),
      last: formatNumber(done.last_loss, language),
    });
  }
  if (!started || !lastStep) return phaseLabel(t, run.phase);
  const steps = `${lastStep.step}/${started.total_steps}`;
  if (run.phase !== 'training') return `${phaseLabel(t, run.phase)} · ${steps}`;
  const parts = [steps, t('loss {loss}', { loss: formatNumber(lastStep.loss, language) })];
  if (run.remainingSeconds !== null) parts.push(remaining(t, run.remainingSeconds));
  return parts.join(' · ');
}

export function remaining(t: Translate, seconds: number): string {
  return t('{duration} left', { duration: formatDuration(t, seconds) });
}
