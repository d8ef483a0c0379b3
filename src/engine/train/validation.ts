/** Evaluation while training: when it is due, which one was the best, and when to give up waiting for a better one. */
import { GlmError } from '../../protocol/errors';
import type { RunEvent } from '../../protocol/events';
import type { RunFile } from '../../protocol/run';
import { evaluateRows } from './evaluate';
import type { PlacesOf } from './microBatch';
import type { MicroBatchSize } from './microBatchSize';
import type { TrainingRow } from './rows';
import type { RunState } from './state';
import type { TrainingStep } from './step';

export interface ValidationParts {
  run: RunFile;
  rows: readonly TrainingRow[];
  totalSteps: number;
  step: TrainingStep;
  places: PlacesOf;
  size: MicroBatchSize;
  emit: (event: RunEvent) => void;
  /** Asked between batches: end the evaluation without a result. */
  stopped: () => boolean;
  epoch: () => number;
  seconds: () => number;
}

/** Whether a run goes back to its best evaluation at the end, so that the best has to be on disk. */
export function returnsToBest({ evaluation }: RunFile): boolean {
  return evaluation.load_best_at_end || evaluation.early_stopping_patience !== null;
}

export class Validation {
  constructor(private readonly parts: ValidationParts) {}

  private isDue({ step }: RunState): boolean {
    const { run, rows, totalSteps } = this.parts;
    const { every_steps: every } = run.evaluation;
    return every > 0 && rows.length > 0 && (step % every === 0 || step === totalSteps);
  }

  /**
   * Evaluates when it is time and notes the result in `state`: `best` where no evaluation was better, `giveUp` where the last ones
   * have not been. Throws `engine.nonFinite`.
   */
  async check(state: RunState): Promise<'best' | 'goOn' | 'giveUp'> {
    if (!this.isDue(state)) return 'goOn';
    const loss = await this.evaluate(state.step);
    if (loss === null) return 'goOn';
    if (state.bestEvalLoss === null || loss < state.bestEvalLoss) {
      state.bestEvalLoss = loss;
      state.evaluationsWithoutImprovement = 0;
      return 'best';
    }
    state.evaluationsWithoutImprovement++;
    const patience = this.parts.run.evaluation.early_stopping_patience;
    return patience !== null && state.evaluationsWithoutImprovement >= patience ? 'giveUp' : 'goOn';
  }

  /** The evaluation loss; null where it was stopped. */
  private async evaluate(step: number): Promise<number | null> {
    const { rows, size, places, stopped, emit, epoch, seconds } = this.parts;
    const result = await size.fit((batch) => evaluateRows(this.parts.step, rows, batch, places, stopped));
    if (!result) return null;
    const { loss, perplexity, tokenAccuracy, nonFiniteLines } = result;
    emit({
      type: 'eval',
      step,
      epoch: epoch(),
      loss,
      perplexity,
      token_accuracy: tokenAccuracy,
      seconds: seconds(),
    });
    if (!Number.isFinite(loss))
      throw new GlmError('engine.nonFinite', { what: 'eval loss', step, rows: nonFiniteLines.join(', ') });
    return loss;
  }
}
