/** Trains a model: a function of a run file that emits plain-data events. */
import path from 'node:path';
import { GlmError } from '../../protocol/errors';
import type { RunEvent, StepEvent } from '../../protocol/events';
import type { RunFile } from '../../protocol/run';
import { ADAPTER, MODEL } from '../../protocol/runDirectory';
import type { ResidentModel } from '../residentModel';
import { loadModel } from '../loadModel';
import type { Places } from '../glm/model';
import { placesOf } from '../sequence';
import { CheckpointKeeper } from './checkpoints';
import { readRunData, type RunData } from './data';
import { evaluateRows } from './evaluate';
import { clipFactor, mean, rowLosses, weightedLoss } from './losses';
import { dropsValues, prepareMethod } from './method';
import { createMicroBatch, type MicroBatch } from './microBatch';
import { planRun, startEvents, type RunPlan } from './plan';
import { largestChange, Probe } from './probe';
import { labelCount } from './rows';
import { RowStream } from './rowStream';
import { learningRateFactor, scheduleOf } from './schedule';
import { loadCheckpoint, loadWeights, saveWeights, type RunState } from './state';
import { TrainingStep } from './step';
import { trainablesOf, type Trainables } from './trainables';

export interface TrainRequest {
  /** Defaults filled in, paths absolute. */
  run: RunFile;
  runDirectory: string;
  /** Checkpoint directory of this run to go on from, or null. */
  resumeFrom: string | null;
  /** For the `started` event. */
  versions: Record<string, string>;
  emit: (event: RunEvent) => void;
  /** Asked between micro-batches: `checkpoint` saves first, `now` does not. */
  stopRequested: () => 'no' | 'checkpoint' | 'now';
}

/** Steps whose mean loss opens and closes the summary: a tenth of the run. */
const SUMMARY_SHARE = 0.1;

/** Runs to the end or until stopped. Throws GlmError; what was checkpointed before stays. */
export async function train(request: TrainRequest): Promise<'done' | 'stopped'> {
  const { run } = request;
  const resident = await loadModel({
    directory: run.model,
    dtype: run.training.dtype,
    trainable: run.method.type === 'full',
    quantization: run.quantization,
  });
  try {
    await prepareMethod(run, resident);
    const data = await readRunData(run, resident);
    const trainables = trainablesOf(resident);
    return await new Trainer(request, resident, trainables, data).run();
  } finally {
    await resident.close();
  }
}

class Trainer {
  private readonly plan: RunPlan;
  private readonly step: TrainingStep;
  private readonly stream: RowStream;
  private readonly probe: Probe;
  private readonly checkpoints: CheckpointKeeper;
  private readonly places = (ids: Int32Array): Places => placesOf(this.resident, ids);
  private startedAt = 0;
  private state: RunState = {
    version: 1,
    step: 0,
    rowsConsumed: 0,
    bestEvalLoss: null,
    bestCheckpoint: null,
    evaluationsWithoutImprovement: 0,
    firstLosses: [],
    lastLosses: [],
  };

  constructor(
    private readonly request: TrainRequest,
    private readonly resident: ResidentModel,
    private readonly trainables: Trainables,
    private readonly data: RunData,
  ) {
    const { run, runDirectory } = request;
    const { training } = run;
    this.plan = planRun(run, data, resident.maxLength);
    const lengths = this.plan.rows.map((row) => row.inputIds.length);
    this.stream = new RowStream(lengths, {
      shuffle: training.shuffle,
      groupByLength: training.group_by_length,
      seed: training.seed,
      batchSize: training.batch_size,
    });
    this.step = new TrainingStep(resident, trainables, {
      gradientCheckpointing: training.gradient_checkpointing,
      drops: dropsValues(resident),
      decayAll: training.weight_decay_on === 'all',
    });
    this.probe = new Probe(resident, this.plan.rows[0]);
    this.checkpoints = new CheckpointKeeper(runDirectory, run.checkpoints.keep_last, resident, trainables);
  }

  async run(): Promise<'done' | 'stopped'> {
    const { run, versions, emit, resumeFrom } = this.request;
    const before = await this.probe.logits();
    await this.step.initialise();
    if (resumeFrom) await this.resume(resumeFrom);
    else startEvents(run, versions, this.resident, this.trainables, this.data, this.plan).forEach(emit);
    this.startedAt = performance.now();
    let reason: 'completed' | 'earlyStopping' = 'completed';
    while (this.state.step < this.plan.totalSteps) {
      if ((await this.trainStep()) === 'stopped') return this.stop();
      if (await this.evaluateIfDue()) {
        reason = 'earlyStopping';
        break;
      }
      await this.saveIfDue();
    }
    await this.finish(before, reason);
    return 'done';
  }

  private get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  private async resume(directory: string): Promise<void> {
    this.state = await loadCheckpoint(directory, this.resident, this.trainables);
    this.stream.consumed = this.state.rowsConsumed;
    const { bestCheckpoint } = this.state;
    if (bestCheckpoint !== null && !this.checkpoints.isThere(bestCheckpoint)) {
      // A later step was better, and the run goes on from before it: the next evaluation is the best again.
      this.state = { ...this.state, bestCheckpoint: null, bestEvalLoss: null };
    }
    const checkpoint = path.relative(this.request.runDirectory, directory);
    this.request.emit({ type: 'resumed', time: new Date().toISOString(), step: this.state.step, checkpoint });
  }

  /** One optimiser step: micro-batches, then the update. Nothing has changed when it returns `stopped`. */
  private async trainStep(): Promise<'stepped' | 'stopped'> {
    const { training } = this.request.run;
    const began = performance.now();
    const consumed = this.stream.consumed;
    const micros = this.nextMicroBatches();
    const losses: Float32Array[] = [];
    let gradientNorm = 0;
    for (const [i, micro] of micros.entries()) {
      if (this.request.stopRequested() !== 'no') {
        this.stream.consumed = consumed;
        return 'stopped';
      }
      const seed = (training.seed + Math.imul(this.state.step * micros.length + i + 1, 0x9e3779b1)) | 0;
      const result = await this.step.accumulate(micro, i === 0, seed);
      losses.push(result.tokenLosses);
      gradientNorm = result.gradientNorm;
    }
    const event = this.stepEvent(micros, losses, gradientNorm);
    this.requireFinite(event);
    await this.step.update({
      update: event.step,
      learningRate: event.lr,
      beta1: training.adam_beta1,
      beta2: training.adam_beta2,
      epsilon: training.adam_epsilon,
      weightDecay: training.weight_decay,
      gradientScale: clipFactor(gradientNorm, training.max_grad_norm),
    });
    this.state.step++;
    this.state.rowsConsumed = this.stream.consumed;
    this.remember(event.loss);
    const seconds = (performance.now() - began) / 1000;
    this.request.emit({ ...event, tokens_per_second: event.tokens / seconds, seconds: this.seconds });
    return 'stepped';
  }

  /** The step's rows, every trained token weighted so that the weighted sum of losses is the step's mean. */
  private nextMicroBatches(): MicroBatch[] {
    const {
      batch_size: batch,
      gradient_accumulation_steps: count,
      accumulation_mean: kind,
    } = this.request.run.training;
    const groups = Array.from({ length: count }, () => this.stream.next(batch).map((i) => this.plan.rows[i]));
    const counts = groups.map((rows) => rows.reduce((sum, row) => sum + labelCount(row), 0));
    const total = counts.reduce((sum, n) => sum + n, 0);
    return groups.map((rows, i) => {
      const weight = kind === 'tokens' ? 1 / Math.max(1, total) : 1 / (count * Math.max(1, counts[i]));
      return createMicroBatch(rows, batch, weight, this.places);
    });
  }

  private stepEvent(
    micros: readonly MicroBatch[],
    losses: readonly Float32Array[],
    gradientNorm: number,
  ): StepEvent {
    const { training } = this.request.run;
    const schedule = scheduleOf(training, this.plan.totalSteps);
    return {
      type: 'step',
      step: this.state.step + 1,
      epoch: this.stream.epochs,
      loss: weightedLoss(micros, losses),
      lr: training.learning_rate * learningRateFactor(schedule, this.state.step),
      grad_norm: gradientNorm,
      tokens: micros.reduce((sum, micro) => sum + micro.tokens, 0),
      tokens_per_second: 0,
      rows: micros.flatMap((micro) => micro.lines),
      row_losses: micros.flatMap((micro, i) => rowLosses(micro, losses[i])),
      memory: process.memoryUsage.rss(),
      seconds: this.seconds,
    };
  }

  /** Nothing is updated from a step that is not finite: the weights stay as the last step left them. */
  private requireFinite(event: StepEvent): void {
    const { loss, grad_norm: norm, step, rows } = event;
    if (Number.isFinite(loss) && Number.isFinite(norm)) return;
    this.request.emit(event);
    const what = Number.isFinite(loss) ? 'grad_norm' : 'loss';
    throw new GlmError('engine.nonFinite', { what, step, rows: rows.join(', ') });
  }

  private remember(loss: number): void {
    const count = Math.max(1, Math.round(this.plan.totalSteps * SUMMARY_SHARE));
    if (this.state.firstLosses.length < count) this.state.firstLosses.push(loss);
    this.state.lastLosses.push(loss);
    if (this.state.lastLosses.length > count) this.state.lastLosses.shift();
  }

  /** Evaluates when it is time; true: stop early. */
  private async evaluateIfDue(): Promise<boolean> {
    const { evaluation, training } = this.request.run;
    const { rows } = this.data.validation;
    const { step } = this.state;
    const isDue =
      evaluation.every_steps > 0 && (step % evaluation.every_steps === 0 || step === this.plan.totalSteps);
    if (!isDue || rows.length === 0) return false;
    const stop = (): boolean => this.request.stopRequested() === 'now';
    const result = await evaluateRows(this.step, rows, training.batch_size, this.places, stop);
    if (!result) return false;
    const { loss, perplexity, tokenAccuracy, nonFiniteLines } = result;
    const epoch = this.stream.epochs;
    const { seconds } = this;
    this.request.emit({
      type: 'eval',
      step,
      epoch,
      loss,
      perplexity,
      token_accuracy: tokenAccuracy,
      seconds,
    });
    if (!Number.isFinite(loss))
      throw new GlmError('engine.nonFinite', { what: 'eval loss', step, rows: nonFiniteLines.join(', ') });
    const patience = evaluation.early_stopping_patience;
    if (this.state.bestEvalLoss === null || loss < this.state.bestEvalLoss) {
      this.state.bestEvalLoss = loss;
      this.state.evaluationsWithoutImprovement = 0;
      // What early stopping returns to has to be on disk.
      if (patience !== null) await this.save(true);
      return false;
    }
    this.state.evaluationsWithoutImprovement++;
    return patience !== null && this.state.evaluationsWithoutImprovement >= patience;
  }

  private async saveIfDue(): Promise<void> {
    const { every_steps: every } = this.request.run.checkpoints;
    const { step } = this.state;
    const isDue = every > 0 && step % every === 0 && step < this.plan.totalSteps;
    if (isDue && !this.checkpoints.has(step)) await this.save(false);
  }

  private async save(best: boolean): Promise<void> {
    const { step } = this.state;
    if (best) this.state.bestCheckpoint = this.checkpoints.nameOf(step);
    const name = await this.checkpoints.save(this.state);
    this.request.emit({ type: 'checkpoint', step, path: name, best });
  }

  private async stop(): Promise<'stopped'> {
    const { step } = this.state;
    const keep = this.request.stopRequested() === 'checkpoint' && step > 0;
    if (keep && !this.checkpoints.has(step)) await this.save(false);
    const checkpoint = keep ? this.checkpoints.nameOf(step) : null;
    this.request.emit({ type: 'stopped', time: new Date().toISOString(), step, checkpoint });
    return 'stopped';
  }

  private async finish(before: Float32Array, reason: 'completed' | 'earlyStopping'): Promise<void> {
    const { run, runDirectory, emit } = this.request;
    const { bestCheckpoint, bestEvalLoss, firstLosses, lastLosses, step } = this.state;
    if (run.evaluation.early_stopping_patience !== null && bestCheckpoint)
      await loadWeights(path.join(runDirectory, bestCheckpoint), this.resident);
    const change = largestChange(before, await this.probe.logits());
    // The last update has no step after it that would notice.
    if (!Number.isFinite(change)) throw new GlmError('engine.badResult', { step });
    if (change === 0) emit({ type: 'warning', code: 'adapterUnchanged', args: {} });
    const output = run.method.type === 'full' ? MODEL : ADAPTER;
    await saveWeights(path.join(runDirectory, output), this.resident, run.training.dtype);
    emit({
      type: 'done',
      time: new Date().toISOString(),
      steps: step,
      seconds: this.seconds,
      first_loss: mean(firstLosses),
      last_loss: mean(lastLosses),
      best_eval_loss: bestEvalLoss,
      reason,
      output,
      logit_change: change,
    });
  }
}
