/** One optimiser step: its rows, their gradients micro-batch by micro-batch, the update. */
import { GlmError } from '../../protocol/errors';
import type { RunEvent, StepEvent } from '../../protocol/events';
import type { RunFile } from '../../protocol/run';
import { computeDType } from '../backend/backend';
import { LossScale } from './lossScale';
import { clipFactor, rowLosses, weightedLoss } from './losses';
import type { BatchShape } from './memoryPlan';
import { createMicroBatch, type MicroBatch, type PlacesOf } from './microBatch';
import { chunks, type MicroBatchSize } from './microBatchSize';
import type { RunPlan } from './plan';
import { labelCount, type TrainingRow } from './rows';
import type { RowStream } from './rowStream';
import { learningRateFactor, scheduleOf, type Schedule } from './schedule';
import type { RunState } from './state';
import type { TrainingStep } from './step';

export interface StepParts {
  run: RunFile;
  plan: RunPlan;
  stream: RowStream;
  step: TrainingStep;
  places: PlacesOf;
  size: MicroBatchSize;
  /** Expected bytes of a micro-batch's pass, and how many there are; null where the device says by itself when it is full. */
  room: { needed: (shape: BatchShape) => number; free: () => number } | null;
  emit: (event: RunEvent) => void;
  /** Asked between micro-batches. */
  stopped: () => boolean;
  /** Since the run started. */
  seconds: () => number;
}

/** Rows that were drawn together, and the weight of each of their trained tokens in the step's loss. */
interface RowGroup {
  rows: TrainingRow[];
  weight: number;
}

interface Gradients {
  micros: MicroBatch[];
  losses: Float32Array[];
  norm: number;
}

export class OptimiserStep {
  private readonly schedule: Schedule;
  private scale: LossScale | null;

  constructor(private readonly parts: StepParts) {
    const { training } = parts.run;
    this.schedule = scheduleOf(training, parts.plan.totalSteps);
    this.scale = computeDType(training.dtype) === 'float16' ? new LossScale() : null;
  }

  /** Goes on from a checkpoint. */
  restore({ lossScale }: RunState): void {
    this.scale = lossScale && new LossScale(lossScale);
  }

  /** What of it belongs into a checkpoint. */
  get saved(): Pick<RunState, 'lossScale' | 'microBatch'> {
    return { lossScale: this.scale?.saved ?? null, microBatch: this.parts.size.rows };
  }

  /**
   * Trains on the next rows and counts the step in `state`. Null: it was stopped, and nothing has changed. Throws
   * `engine.nonFinite`, and `engine.outOfMemory` where even single rows are too much.
   */
  async next(state: RunState): Promise<StepEvent | null> {
    const { stream, size, emit, seconds } = this.parts;
    const began = performance.now();
    const { consumed } = stream;
    const groups = this.drawRows();
    const gradients = await size.fit((rows) => this.accumulate(state, this.microBatches(groups, rows)));
    if (!gradients) {
      stream.consumed = consumed;
      return null;
    }
    const event = this.event(state, gradients);
    if (this.isFinite(event)) await this.update(state, event);
    else this.skip(event);
    state.step++;
    state.rowsConsumed = stream.consumed;
    const rate = event.tokens / ((performance.now() - began) / 1000);
    const finished = { ...event, tokens_per_second: rate, seconds: seconds() };
    emit(finished);
    return finished;
  }

  /** The step's rows, every trained token weighted so that the weighted sum of losses is the step's mean. */
  private drawRows(): RowGroup[] {
    const { run, plan, stream } = this.parts;
    const { batch_size: batch, gradient_accumulation_steps: count, accumulation_mean: kind } = run.training;
    const groups = Array.from({ length: count }, () => stream.next(batch).map((i) => plan.rows[i]));
    const counts = groups.map((rows) => rows.reduce((sum, row) => sum + labelCount(row), 0));
    const total = counts.reduce((sum, n) => sum + n, 0);
    return groups.map((rows, i) => {
      const weight = kind === 'tokens' ? 1 / Math.max(1, total) : 1 / (count * Math.max(1, counts[i]));
      return { rows, weight };
    });
  }

  /** The groups in pieces that fit into memory; the weights stay, and with them the step's loss. */
  private microBatches(groups: readonly RowGroup[], size: number): MicroBatch[] {
    return groups.flatMap(({ rows, weight }) =>
      chunks(rows, size).map((piece) => createMicroBatch(piece, size, weight, this.parts.places)),
    );
  }

  /** The sum of the micro-batches' gradients, left in the library's memory; null where it was stopped. */
  private async accumulate({ step }: RunState, micros: MicroBatch[]): Promise<Gradients | null> {
    const { run, step: program, stopped } = this.parts;
    const lossScale = this.scale?.value ?? 1;
    const losses: Float32Array[] = [];
    let norm = 0;
    for (const [i, micro] of micros.entries()) {
      if (stopped()) return null;
      this.requireRoom(micro);
      const seed = (run.training.seed + Math.imul(step * micros.length + i + 1, 0x9e3779b1)) | 0;
      const result = await program.accumulate(micro, { first: i === 0, seed, lossScale });
      losses.push(result.tokenLosses);
      norm = result.gradientNorm;
    }
    return { micros, losses, norm };
  }

  /**
   * Linux hands out memory that it does not have and ends the process that uses it, so that the library never hears of it. What
   * can be made smaller is therefore measured first. Throws `engine.outOfMemory`.
   */
  private requireRoom(micro: MicroBatch): void {
    const { room, size } = this.parts;
    if (!room || !size.canHalve) return;
    const [needed, free] = [room.needed(micro), room.free()];
    if (needed > free)
      throw new GlmError('engine.outOfMemory', { detail: `${needed} bytes, ${Math.round(free)} free` });
  }

  private event(state: RunState, { micros, losses, norm }: Gradients): StepEvent {
    const { learning_rate: rate } = this.parts.run.training;
    return {
      type: 'step',
      step: state.step + 1,
      epoch: this.parts.stream.epochs,
      loss: weightedLoss(micros, losses),
      // As in transformers, the schedule waits where an update was skipped.
      lr: rate * learningRateFactor(this.schedule, state.updates),
      grad_norm: norm,
      tokens: micros.reduce((sum, micro) => sum + micro.tokens, 0),
      tokens_per_second: 0,
      rows: micros.flatMap((micro) => micro.lines),
      row_losses: micros.flatMap((micro, i) => rowLosses(micro, losses[i])),
      memory: process.memoryUsage.rss(),
      seconds: this.parts.seconds(),
    };
  }

  private isFinite({ loss, grad_norm: norm }: StepEvent): boolean {
    return Number.isFinite(loss) && Number.isFinite(norm);
  }

  private async update(state: RunState, { lr, grad_norm: norm }: StepEvent): Promise<void> {
    const { training } = this.parts.run;
    await this.parts.step.update({
      update: state.updates + 1,
      learningRate: lr,
      beta1: training.adam_beta1,
      beta2: training.adam_beta2,
      epsilon: training.adam_epsilon,
      weightDecay: training.weight_decay,
      gradientScale: clipFactor(norm, training.max_grad_norm) / (this.scale?.value ?? 1),
    });
    this.scale?.succeeded();
    state.updates++;
  }

  /**
   * Nothing is updated from a step that is not finite: the weights stay as the last one left them. In float16 it is to be expected
   * now and then, and the next step is tried with a smaller scale; in other dtypes it ends the run.
   */
  private skip(event: StepEvent): void {
    const { emit } = this.parts;
    const { loss, step, rows } = event;
    // A smaller scale mends gradients, not a loss.
    if (Number.isFinite(loss) && this.scale?.overflowed()) {
      emit({ type: 'warning', code: 'stepSkipped', args: { step, scale: this.scale.value } });
      return;
    }
    emit(event);
    const lines = rows.join(', ');
    if (this.scale && Number.isFinite(loss))
      throw new GlmError('engine.float16Overflow', { step, rows: lines });
    const what = Number.isFinite(loss) ? 'grad_norm' : 'loss';
    throw new GlmError('engine.nonFinite', { what, step, rows: lines });
  }
}
