/** Everything the run panel shows but its curves, as text in the display language. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { errorText } from '../../host/failures';
import type { RunFolder } from '../../host/runs/runFolder';
import { isLive } from '../../host/runs/runState';
import { LOG_FILE } from '../../protocol/runDirectory';
import type { RunFact, RunHeader, RunNotice } from '../../protocol/webview';
import type { Translate } from '../../text/translate';
import { methodName } from '../../text/methods';
import { describeWarning } from '../../text/warnings';
import { formatCount, formatDuration, formatNumber } from '../format';
import { phaseLabel, remaining } from '../runs/describe';

/** Screen readers are told of progress in these shares of the run. */
const ANNOUNCED_SHARE = 0.1;
/** How many of the newest checkpoints are looked for on disk. */
const MAX_CHECKPOINTS = 12;

export function runHeader(t: Translate, run: RunFolder, language: string): RunHeader {
  const { phase } = run;
  const started = run.progress.started !== null;
  return {
    name: run.name,
    phase,
    phaseLabel: phaseLabel(t, phase),
    subtitle: subtitle(t, run),
    progressText: progressText(t, run, language),
    fraction: started ? run.fraction : null,
    facts: facts(t, run, language),
    notices: notices(t, run),
    checkpoints: checkpoints(run, language),
    summary: summary(t, run, language),
    actions: actions(t, run),
    announcement: announcement(t, run, language),
  };
}

function subtitle(t: Translate, run: RunFolder): string {
  const { started } = run.progress;
  const file = run.run;
  const method = file?.method.type ?? started?.method;
  const quantized = Boolean(file?.quantization ?? started?.quantization);
  const parts = [
    method === undefined ? '' : method === 'full' ? t('Full fine-tuning') : methodName(t, method, quantized),
    path.basename(file?.model ?? started?.model ?? ''),
    path.basename(file?.dataset.train ?? ''),
    started?.dtype ?? file?.training.dtype ?? '',
    started?.device ?? '',
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

function progressText(t: Translate, run: RunFolder, language: string): string {
  const { started, lastStep, done } = run.progress;
  if (run.phase === 'done' && done) {
    return t('{steps} steps in {duration}', {
      steps: done.steps.toLocaleString(language),
      duration: formatDuration(t, done.seconds),
    });
  }
  if (run.phase === 'preparing') {
    return started
      ? t('Building the training graph. The first step takes longer than the others.')
      : t('Reading the dataset and loading the model.');
  }
  if (!started || !lastStep) return '';
  const parts = [
    t('Step {step} of {total}', {
      step: lastStep.step.toLocaleString(language),
      total: started.total_steps.toLocaleString(language),
    }),
    t('epoch {epoch} of {epochs}', {
      epoch: lastStep.epoch.toLocaleString(language, { maximumFractionDigits: 2 }),
      epochs: started.epochs.toLocaleString(language, { maximumFractionDigits: 1 }),
    }),
  ];
  if (run.phase === 'stopping') parts.push(t('writing a checkpoint'));
  else if (run.remainingSeconds !== null) parts.push(remaining(t, run.remainingSeconds));
  return parts.join(' · ');
}

function facts(t: Translate, run: RunFolder, language: string): RunFact[] {
  const { started, lastStep } = run.progress;
  if (!started) return [];
  const whole = (value: number): string => value.toLocaleString(language);
  const share = (100 * started.trainable_parameters) / Math.max(1, started.total_parameters);
  const made = [
    { label: t('Training rows'), value: whole(started.train_rows) },
    { label: t('Validation rows'), value: whole(started.validation_rows) },
    { label: t('Rows per step'), value: whole(started.effective_batch_size) },
    {
      label: t('Trained parameters'),
      value: `${formatCount(started.trainable_parameters, language)} (${formatNumber(share, language)} %)`,
    },
    { label: t('Longest row'), value: t('{count} tokens', { count: whole(started.longest_row) }) },
  ];
  if (lastStep && lastStep.memory > 0) {
    const gigabytes = formatNumber(lastStep.memory / 2 ** 30, language);
    made.push({ label: t('Memory'), value: `${gigabytes} GiB` });
  }
  return made;
}

function notices(t: Translate, run: RunFolder): RunNotice[] {
  const { failed, warnings } = run.progress;
  const made: RunNotice[] = [];
  if (failed && run.phase === 'failed') {
    made.push({ severity: 'error', ...errorText(failed.error, failed.message) });
  }
  if (run.phase === 'interrupted') {
    made.push({
      severity: 'warning',
      message: t('The training process is gone without a word: it was killed, or the machine went down.'),
      remedy: run.resumable
        ? t('Resume it to go on from the last checkpoint. The log may tell more.')
        : t('There is no checkpoint to go on from. The log may tell more.'),
    });
  }
  for (const warning of warnings) {
    const message = describeWarning(t, warning) ?? warning.code;
    made.push({ severity: 'warning', message, remedy: '' });
  }
  return made;
}

function checkpoints(run: RunFolder, language: string): RunHeader['checkpoints'] {
  const evaluations = new Map(run.progress.evals.map((event) => [event.step, event.loss]));
  const best = run.progress.checkpoints.findLast((event) => event.best);
  const listed = run.progress.checkpoints.slice(-MAX_CHECKPOINTS);
  if (best && !listed.includes(best)) listed.unshift(best);
  // Older ones are removed as the run goes on (`checkpoints.keep_last`).
  const kept = listed.filter((event) => existsSync(path.join(run.directory, event.path)));
  return kept.reverse().map((event) => ({
    step: event.step.toLocaleString(language),
    path: event.path,
    evaluation: formatNumber(evaluations.get(event.step), language),
    best: event === best,
  }));
}

function summary(t: Translate, run: RunFolder, language: string): RunHeader['summary'] {
  const { done } = run.progress;
  if (!done || run.phase !== 'done') return null;
  const made: RunFact[] = [
    {
      label: t('Training loss'),
      value: `${formatNumber(done.first_loss, language)} → ${formatNumber(done.last_loss, language)}`,
    },
  ];
  if (done.best_eval_loss !== null) {
    made.push({ label: t('Best validation loss'), value: formatNumber(done.best_eval_loss, language) });
  }
  made.push(
    { label: t('Duration'), value: formatDuration(t, done.seconds) },
    { label: t('Result'), value: run.output === null ? '' : vscode.workspace.asRelativePath(run.output) },
  );
  const early = done.reason === 'earlyStopping';
  return {
    title: early ? t('Finished early: validation no longer improved') : t('Fine-tuning is complete'),
    facts: made,
  };
}

function actions(t: Translate, run: RunFolder): RunHeader['actions'] {
  const made: RunHeader['actions'] = [];
  if (run.phase === 'done') made.push({ action: 'chat', label: t('Chat with This'), primary: true });
  if (run.resumable) made.push({ action: 'resume', label: t('Resume'), primary: true });
  const stoppable = run.phase === 'training' || (run.phase === 'preparing' && run.progress.started !== null);
  if (stoppable) made.push({ action: 'stop', label: t('Stop'), primary: false });
  if (run.phase === 'done') made.push({ action: 'revealOutput', label: t('Show Result'), primary: false });
  if (run.run) made.push({ action: 'openRunFile', label: t('Settings'), primary: false });
  // A run of the command line writes its log to the terminal.
  if (existsSync(path.join(run.directory, LOG_FILE))) {
    made.push({ action: 'openLog', label: t('Log'), primary: false });
  }
  return made;
}

/** Changes with the phase and every tenth of the run, so that a screen reader is not kept talking. */
function announcement(t: Translate, run: RunFolder, language: string): string {
  const state = `${run.name}: ${phaseLabel(t, run.phase)}`;
  const { done, started } = run.progress;
  if (done && run.phase === 'done') {
    return `${state}. ${t('loss {first} → {last}', {
      first: formatNumber(done.first_loss, language),
      last: formatNumber(done.last_loss, language),
    })}`;
  }
  if (!isLive(run.phase) || !started) return state;
  const percent = Math.floor(run.fraction / ANNOUNCED_SHARE) * ANNOUNCED_SHARE * 100;
  return `${state}, ${Math.round(percent)} %`;
}
