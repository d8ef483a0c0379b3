/** Follows a run's events and hands out its points in batches. Free of `vscode`. */
import path from 'node:path';
import { parseRunEvent, type RunEvent } from '../../protocol/events';
import { EVENTS_FILE } from '../../protocol/runDirectory';
import type { EvalColumns, RunHostMessage, StepColumns } from '../../protocol/webview';
import { Disposable, toDisposable } from '../../host/lifecycle';
import { FileTail } from '../../host/process/fileTail';

export type PointsMessage = Extract<RunHostMessage, { type: 'points' }>;

/** Milliseconds between batches: often enough to look live, rarely enough to cost nothing. */
const BATCH_MS = 200;

/** Collects events between two batches. */
export class PointBatch {
  private reset: boolean;
  private keepThrough: number | null = null;
  private steps = emptySteps();
  private evals = emptyEvals();
  private filled = false;

  /** @param first the first batch replaces whatever the view still has */
  constructor(first: boolean) {
    this.reset = first;
  }

  restart(): void {
    this.reset = true;
    this.keepThrough = null;
    this.steps = emptySteps();
    this.evals = emptyEvals();
    this.filled = true;
  }

  add(event: RunEvent): void {
    switch (event.type) {
      case 'started':
        this.restart();
        break;
      case 'step':
        this.addStep(event);
        break;
      case 'eval':
        this.evals.step.push(event.step);
        this.evals.loss.push(finite(event.loss));
        this.filled = true;
        break;
      case 'resumed':
        this.resume(event.step);
        break;
    }
  }

  /** What was collected, or null where there is nothing to tell. */
  take(): PointsMessage | null {
    if (!this.filled) return null;
    const message: PointsMessage = {
      type: 'points',
      reset: this.reset,
      keepThrough: this.keepThrough,
      steps: this.steps,
      evals: this.evals,
    };
    this.reset = false;
    this.keepThrough = null;
    this.steps = emptySteps();
    this.evals = emptyEvals();
    this.filled = false;
    return message;
  }

  private addStep(event: Extract<RunEvent, { type: 'step' }>): void {
    const { steps } = this;
    steps.step.push(event.step);
    steps.epoch.push(finite(event.epoch));
    steps.loss.push(finite(event.loss));
    steps.lr.push(finite(event.lr));
    steps.gradNorm.push(finite(event.grad_norm));
    steps.tokensPerSecond.push(finite(event.tokens_per_second));
    this.filled = true;
  }

  /** Points after the checkpoint are computed anew: drop those collected and those already handed out. */
  private resume(step: number): void {
    const kept = keep(this.steps.step, step);
    for (const column of Object.values(this.steps) as unknown[][]) column.length = kept;
    const keptEvals = keep(this.evals.step, step);
    for (const column of Object.values(this.evals) as unknown[][]) column.length = keptEvals;
    this.keepThrough = Math.min(step, this.keepThrough ?? Infinity);
    this.filled = true;
  }
}

export class PointFeed extends Disposable {
  private readonly batch = new PointBatch(true);
  private timer: NodeJS.Timeout | null = null;

  constructor(
    runDirectory: string,
    private readonly send: (message: PointsMessage) => void,
  ) {
    super();
    this._register(toDisposable(() => clearTimeout(this.timer ?? undefined)));
    this._register(
      new FileTail(path.join(runDirectory, EVENTS_FILE), ({ lines, restarted }) => {
        if (restarted) this.batch.restart();
        for (const line of lines) {
          const event = parseRunEvent(line);
          if (event) this.batch.add(event);
        }
        this.schedule();
      }),
    );
  }

  private schedule(): void {
    if (this.isDisposed) return;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const message = this.batch.take();
      if (message) this.send(message);
    }, BATCH_MS);
  }
}

function emptySteps(): StepColumns {
  return { step: [], epoch: [], loss: [], lr: [], gradNorm: [], tokensPerSecond: [] };
}

function emptyEvals(): EvalColumns {
  return { step: [], loss: [] };
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** How many of the ascending steps do not exceed `through`. */
function keep(steps: readonly number[], through: number): number {
  const at = steps.findIndex((step) => step > through);
  return at < 0 ? steps.length : at;
}
