/** A run's events as a person watches them: a bar with the loss on a terminal, clean lines in a pipe. */
import path from 'node:path';
import type { DoneEvent, EvalEvent, RunEvent, StartedEvent, StepEvent } from '../../protocol/events';
import { methodName } from '../../text/methods';
import { describeWarning } from '../../text/warnings';
import type { CommandContext } from '../context';
import { formatBytes, formatDuration, formatLoss, formatRate } from '../format';
import type { Progress } from '../progress';
import { memoryLine } from './memoryLine';

/** Weight of the past in the average of seconds per step behind the remaining time. */
const DECAY = 0.9;

export class TrainingView {
  private progress: Progress | null = null;
  private totalSteps = 0;
  private lastSeconds: number | null = null;
  private secondsPerStep: number | null = null;
  private lastEval: EvalEvent | null = null;
  private planned: number | null = null;

  /** @param totalSteps number of steps of the whole run, where an earlier process has already said it */
  constructor(
    private readonly context: CommandContext,
    private readonly directory: string,
    totalSteps = 0,
  ) {
    this.totalSteps = totalSteps;
  }

  show(event: RunEvent): void {
    const { output, t } = this.context;
    if (output.json) {
      output.record(event);
      return;
    }
    switch (event.type) {
      case 'started':
        this.showStarted(event);
        break;
      case 'resumed':
        output.info(t('Resumed at step {step}.', { step: event.step }));
        break;
      case 'step':
        this.showStep(event);
        break;
      case 'eval':
        this.lastEval = event;
        output.info(this.evalLine(event));
        break;
      case 'checkpoint':
        output.info(t('Checkpoint {path}', { path: path.join(this.directory, event.path) }));
        break;
      case 'warning':
        output.warning(t('Warning:'), describeWarning(t, event));
        break;
      case 'stopped':
        this.end();
        output.info(this.stoppedLine(event.step, event.checkpoint));
        break;
      case 'done':
        this.end();
        this.showDone(event);
        break;
      case 'failed':
        this.end();
    }
  }

  end(): void {
    this.progress?.stop();
    this.progress = null;
  }

  private showStarted(event: StartedEvent): void {
    const { output, t } = this.context;
    this.totalSteps = event.total_steps;
    const method = methodName(t, event.method, event.quantization === 'nf4');
    output.info(
      t('{method} of {model} on {device}, {dtype}', {
        method,
        model: event.model,
        device: event.device,
        dtype: event.dtype,
      }),
    );
    output.info(
      t('{trainable} of {total} parameters are trained', {
        trainable: event.trainable_parameters.toLocaleString('en'),
        total: event.total_parameters.toLocaleString('en'),
      }),
    );
    output.info(
      t(
        '{rows} rows ({validation} for validation), {batch} per step, longest {longest} tokens, {steps} steps',
        {
          rows: event.train_rows,
          validation: event.validation_rows,
          batch: event.effective_batch_size,
          longest: event.longest_row,
          steps: event.total_steps,
        },
      ),
    );
    if (event.memory) {
      this.planned = event.memory.total;
      output.info(memoryLine(t, event.memory));
    }
    if (event.learning_rate !== undefined)
      output.info(t('Learning rate {rate}', { rate: formatRate(event.learning_rate) }));
  }

  private showStep(event: StepEvent): void {
    const { t } = this.context;
    this.progress ??= this.context.output.progress({ total: this.totalSteps, label: t('step') });
    const remaining = this.remaining(event);
    const parts = [
      `${t('loss')} ${formatLoss(event.loss)}`,
      `lr ${formatRate(event.lr)}`,
      t('{rate} tokens/s', { rate: Math.round(event.tokens_per_second) }),
      remaining === null ? '' : t('{time} left', { time: formatDuration(remaining) }),
    ];
    this.progress.update(event.step, parts.filter(Boolean).join('  '));
  }

  /** Seconds to the last step; null until two steps have been seen. */
  private remaining(event: StepEvent): number | null {
    if (this.lastSeconds !== null) {
      const taken = event.seconds - this.lastSeconds;
      this.secondsPerStep =
        this.secondsPerStep === null ? taken : DECAY * this.secondsPerStep + (1 - DECAY) * taken;
    }
    this.lastSeconds = event.seconds;
    return this.secondsPerStep === null ? null : this.secondsPerStep * (this.totalSteps - event.step);
  }

  private evalLine(event: EvalEvent): string {
    return this.context.t(
      'Step {step}: evaluation loss {loss}, perplexity {perplexity}, accuracy {accuracy}%',
      {
        step: event.step,
        loss: formatLoss(event.loss),
        perplexity: event.perplexity.toPrecision(4),
        accuracy: (100 * event.token_accuracy).toFixed(1),
      },
    );
  }

  private stoppedLine(step: number, checkpoint: string | null): string {
    const { t } = this.context;
    return checkpoint === null
      ? t('Stopped at step {step} without a checkpoint.', { step })
      : t('Stopped at step {step}. To go on: chatglm-finetune resume {directory}', {
          step,
          directory: this.directory,
        });
  }

  private showDone(event: DoneEvent): void {
    const { output, t } = this.context;
    output.result(
      event.reason === 'earlyStopping'
        ? t('Stopped early after {steps} steps in {time}: the evaluation loss no longer fell.', {
            steps: event.steps,
            time: formatDuration(event.seconds),
          })
        : t('Done: {steps} steps in {time}.', { steps: event.steps, time: formatDuration(event.seconds) }),
    );
    output.result(
      t('Loss: {first} -> {last}', {
        first: formatLoss(event.first_loss),
        last: formatLoss(event.last_loss),
      }),
    );
    if (event.best_eval_loss !== null)
      output.result(
        t('Evaluation loss: best {best}, last {last}', {
          best: formatLoss(event.best_eval_loss),
          last: this.lastEval ? formatLoss(this.lastEval.loss) : '-',
        }),
      );
    output.result(
      t('Largest change of a logit by the training: {change}', { change: event.logit_change.toPrecision(3) }),
    );
    if (event.peak_memory !== undefined)
      output.result(
        this.planned === null
          ? t('Memory at its peak: {peak}', { peak: formatBytes(event.peak_memory) })
          : t('Memory at its peak: {peak}, planned {planned}', {
              peak: formatBytes(event.peak_memory),
              planned: formatBytes(this.planned),
            }),
      );
    output.result(t('Result: {path}', { path: path.join(this.directory, event.output) }));
  }
}
