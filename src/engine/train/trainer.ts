/** Trains a model: a function of a run file that emits plain-data events. */
import fs from 'node:fs';
import path from 'node:path';
import { GlmError } from '../../protocol/errors';
import type { RunEvent, StartedEvent } from '../../protocol/events';
import type { RunFile } from '../../protocol/run';
import { ADAPTER, CHECKPOINTS, MODEL } from '../../protocol/runDirectory';
import { ResidentModel } from '../residentModel';
import { readRunData, type RunData } from './data';
import { evaluateRows } from './evaluate';
import { initialLora } from './loraInit';
import { createMicroBatch, type MicroBatch } from './microBatch';
import { largestChange, Probe } from './probe';
import { labelCount, packRows, type TrainingRow } from './rows';
import { RowStream } from './rowStream';
import { learningRateFactor, warmupSteps } from './schedule';
import { loadCheckpoint, loadWeights, saveCheckpoint, saveWeights, type RunState } from './state';
import { TrainingStep } from './step';
import { fullTrainables, loraTrainables, type Trainables } from './trainables';

export interface TrainRequest {
  /** Defaults filled in, paths absolute. */
  run: RunFile;
  runDirectory: string;
  /** Checkpoint directory of this run to go on from, or null. */
  resumeFrom: string | null;
  /** For the `started` event. */
  versions: Record<string, string>;
  emit(event: RunEvent): void;
  /** Asked between micro-batches: `checkpoint` saves first, `now` does not. */
  stopRequested(): 'no' | 'checkpoint' | 'now';
}

/** Steps whose mean loss opens and closes the summary: a tenth of the run. */
const SUMMARY_SHARE = 0.1;
const FEW_ROWS = 20;

/** Runs to the end or until stopped. Throws GlmError; what was checkpointed before stays. */
export async function train(request: TrainRequest): Promise<'done' | 'stopped'> {
  const { run } = request;
  const resident = await ResidentModel.load({
    directory: run.model,
    dtype: run.training.dtype,
    trainable: run.method.type === 'full',
  });
  try {
    const { vocabSize, maxLength } = resident.model;
    const data = await readRunData(run, vocabSize, maxLength);
    const trainables = await prepareTrainables(run, resident);
    return await new Trainer(request, resident, trainables, data).run();
  } finally {
    await resident.close();
  }
}

/** Puts the adapter to train on the model: a new one, or the one the run starts from. */
async function prepareTrainables(run: RunFile, resident: ResidentModel): Promise<Trainables> {
  if (run.method.type === 'full') {
    if (run.adapter) throw new GlmError('run.adapterWithFull', { path: run.adapter });
    return fullTrainables(resident);
  }
  if (run.adapter) {
    await resident.loadAdapter(run.adapter);
    return loraTrainables(resident);
  }
  const { r, lora_alpha, lora_dropout, target_modules, use_rslora } = run.method;
  const layout = await resident.setLora({
    r,
    lora_alpha,
    lora_dropout,
    target_modules,
    use_rslora,
    base_model_name_or_path: run.model,
  });
  await resident.write(layout.variable, initialLora(layout.shapes, run.training.seed));
  return loraTrainables(resident);
}

class Trainer {
  private readonly step: TrainingStep;
  private readonly rows: TrainingRow[];
  private readonly stream: RowStream;
  private readonly totalSteps: number;
  private readonly probe: Probe;
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
    const { training, dataset } = request.run;
    const maxLength = Math.min(dataset.max_length, resident.model.maxLength);
    const seed = training.shuffle ? training.seed : null;
    this.rows = training.packing ? packRows(data.train.rows, maxLength, seed) : data.train.rows;
    this.stream = new RowStream(
      this.rows.map((row) => row.inputIds.length),
      {
        shuffle: training.shuffle,
        groupByLength: training.group_by_length,
        seed: training.seed,
        batchSize: training.batch_size,
      },
    );
    const perStep = training.batch_size * training.gradient_accumulation_steps;
    this.totalSteps =
      training.max_steps ?? Math.max(1, Math.ceil((training.epochs * this.rows.length) / perStep));
    this.step = new TrainingStep(resident, trainables, {
      loraDropout: resident.lora?.config.lora_dropout ?? 0,
      decayAll: training.weight_decay_on === 'all',
    });
    this.probe = new Probe(resident, this.rows[0]);
  }

  async run(): Promise<'done' | 'stopped'> {
    const before = await this.probe.logits();
    await this.step.initialise();
    if (this.request.resumeFrom) await this.resume(this.request.resumeFrom);
    else this.announce();
    this.startedAt = performance.now();
    let reason: 'completed' | 'earlyStopping' = 'completed';
    while (this.state.step < this.totalSteps) {
      const outcome = await this.trainStep();
      if (outcome === 'stopped') return this.stop();
      if (await this.evaluateIfDue()) {
        reason = 'earlyStopping';
        break;
      }
      await this.saveIfDue();
    }
    await this.finish(before, reason);
    return 'done';
  }

  private now(): string {
    return new Date().toISOString();
  }

  private announce(): void {
    const { run, versions, emit } = this.request;
    const { training } = run;
    const { train, validation } = this.data;
    const event: StartedEvent = {
      type: 'started',
      time: this.now(),
      name: run.name,
      model: run.model,
      architecture: this.resident.model.config.architecture,
      method: run.method.type,
      dtype: training.dtype,
      device: this.device(),
      versions,
      trainable_parameters: this.trainables.parameters,
      total_parameters: this.resident.parameters,
      train_rows: train.rows.length,
      validation_rows: validation.rows.length,
      dropped_rows: train.dropped + validation.dropped,
      truncated_rows: train.truncated + validation.truncated,
      total_steps: this.totalSteps,
      epochs: (this.totalSteps * this.rowsPerStep) / this.rows.length,
      effective_batch_size: this.rowsPerStep,
      longest_row: this.rows.reduce((most, row) => Math.max(most, row.inputIds.length), 0),
    };
    emit(event);
    const { dropped_rows: dropped, truncated_rows: truncated } = event;
    if (dropped > 0) emit({ type: 'warning', code: 'rowsDropped', args: { count: dropped } });
    if (truncated > 0) emit({ type: 'warning', code: 'rowsTruncated', args: { count: truncated } });
    if (train.rows.length < FEW_ROWS)
      emit({ type: 'warning', code: 'fewRows', args: { count: train.rows.length } });
    if (run.evaluation.every_steps > 0 && validation.rows.length === 0)
      emit({ type: 'warning', code: 'noValidation', args: {} });
  }

  private device(): string {
    const devices = this.resident.session.devices();
    return devices.some(({ type }) => type === 'GPU') ? 'GPU' : 'CPU';
  }

  private get rowsPerStep(): number {
    const { batch_size: batch, gradient_accumulation_steps: accumulation } = this.request.run.training;
    return batch * accumulation;
  }

  private async resume(directory: string): Promise<void> {
    this.state = await loadCheckpoint(directory, this.resident, this.trainables);
    this.stream.consumed = this.state.rowsConsumed;
    const checkpoint = path.relative(this.request.runDirectory, directory);
    this.request.emit({ type: 'resumed', time: this.now(), step: this.state.step, checkpoint });
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
    const loss = weightedLoss(micros, losses);
    const rate = this.learningRate();
    const event = this.stepEvent(micros, losses, loss, rate, gradientNorm, performance.now() - began);
    this.requireFinite(event);
    await this.step.update({
      update: this.state.step + 1,
      learningRate: rate,
      beta1: training.adam_beta1,
      beta2: training.adam_beta2,
      epsilon: training.adam_epsilon,
      weightDecay: training.weight_decay,
      gradientScale: clipFactor(gradientNorm, training.max_grad_norm),
    });
    this.state.step++;
    this.state.rowsConsumed = this.stream.consumed;
    this.remember(loss);
    const milliseconds = performance.now() - began;
    this.request.emit({ ...event, tokens_per_second: event.tokens / (milliseconds / 1000) });
    return 'stepped';
  }

  /** The step's rows, every trained token weighted so that the weighted sum of losses is the step's mean. */
  private nextMicroBatches(): MicroBatch[] {
    const {
      batch_size: batch,
      gradient_accumulation_steps: count,
      accumulation_mean: mean,
    } = this.request.run.training;
    const groups = Array.from({ length: count }, () =>
      this.stream.next(batch).map((index) => this.rows[index]),
    );
    const counts = groups.map((rows) => rows.reduce((sum, row) => sum + labelCount(row), 0));
    const total = counts.reduce((sum, n) => sum + n, 0);
    return groups.map((rows, i) => {
      const weight = mean === 'tokens' ? 1 / Math.max(1, total) : 1 / (count * Math.max(1, counts[i]));
      return createMicroBatch(rows, batch, weight);
    });
  }

  private learningRate(): number {
    const { training } = this.request.run;
    const schedule = {
      type: training.lr_scheduler_type,
      totalSteps: this.totalSteps,
      warmupSteps: warmupSteps(training, this.totalSteps),
    };
    return training.learning_rate * learningRateFactor(schedule, this.state.step);
  }

  private stepEvent(
    micros: readonly MicroBatch[],
    losses: readonly Float32Array[],
    loss: number,
    lr: number,
    gradientNorm: number,
    milliseconds: number,
  ) {
    const tokens = micros.reduce((sum, micro) => sum + micro.tokens, 0);
    return {
      type: 'step' as const,
      step: this.state.step + 1,
      epoch: this.stream.epochs,
      loss,
      lr,
      grad_norm: gradientNorm,
      tokens,
      tokens_per_second: tokens / (milliseconds / 1000),
      rows: micros.flatMap((micro) => micro.lines),
      row_losses: micros.flatMap((micro, i) => rowLosses(micro, losses[i])),
      memory: process.memoryUsage.rss(),
      seconds: (performance.now() - this.startedAt) / 1000,
    };
  }

  /** Nothing is updated from a step that is not finite: the weights stay as the last step left them. */
  private requireFinite(event: ReturnType<Trainer['stepEvent']>): void {
    const { loss, grad_norm: norm, step, rows } = event;
    if (Number.isFinite(loss) && Number.isFinite(norm)) return;
    this.request.emit(event);
    const what = Number.isFinite(loss) ? 'grad_norm' : 'loss';
    throw new GlmError('engine.nonFinite', { what, step, rows: rows.join(', ') });
  }

  private remember(loss: number): void {
    const count = Math.max(1, Math.round(this.totalSteps * SUMMARY_SHARE));
    if (this.state.firstLosses.length < count) this.state.firstLosses.push(loss);
    this.state.lastLosses.push(loss);
    if (this.state.lastLosses.length > count) this.state.lastLosses.shift();
  }

  /** Evaluates when it is time; true: stop early. */
  private async evaluateIfDue(): Promise<boolean> {
    const { evaluation, training } = this.request.run;
    const { rows } = this.data.validation;
    const isLast = this.state.step === this.totalSteps;
    const isDue = evaluation.every_steps > 0 && (this.state.step % evaluation.every_steps === 0 || isLast);
    if (!isDue || rows.length === 0) return false;
    const stop = (): boolean => this.request.stopRequested() === 'now';
    const result = await evaluateRows(this.step, rows, training.batch_size, stop);
    if (!result) return false;
    const { loss, perplexity, tokenAccuracy } = result;
    const { step } = this.state;
    const seconds = (performance.now() - this.startedAt) / 1000;
    const epoch = this.stream.epochs;
    this.request.emit({
      type: 'eval',
      step,
      epoch,
      loss,
      perplexity,
      token_accuracy: tokenAccuracy,
      seconds,
    });
    const patience = evaluation.early_stopping_patience;
    if (this.state.bestEvalLoss === null || loss < this.state.bestEvalLoss) {
      this.state.bestEvalLoss = loss;
      this.state.evaluationsWithoutImprovement = 0;
      if (patience !== null) await this.save(true);
      return false;
    }
    this.state.evaluationsWithoutImprovement++;
    return patience !== null && this.state.evaluationsWithoutImprovement >= patience;
  }

  private async saveIfDue(): Promise<void> {
    const { every_steps: every } = this.request.run.checkpoints;
    const isDue = every > 0 && this.state.step % every === 0 && this.state.step < this.totalSteps;
    if (isDue && this.lastSaved !== this.state.step) await this.save(false);
  }

  private lastSaved = -1;

  private async save(best: boolean): Promise<string> {
    const name = path.join(CHECKPOINTS, `step-${this.state.step}`);
    if (best) this.state.bestCheckpoint = name;
    await saveCheckpoint(
      path.join(this.request.runDirectory, name),
      this.resident,
      this.trainables,
      this.state,
    );
    this.lastSaved = this.state.step;
    this.request.emit({ type: 'checkpoint', step: this.state.step, path: name, best });
    this.removeOldCheckpoints();
    return name;
  }

  /** Keeps the newest ones and the best. */
  private removeOldCheckpoints(): void {
    const directory = path.join(this.request.runDirectory, CHECKPOINTS);
    const steps = fs
      .readdirSync(directory)
      .flatMap((name) => /^step-(\d+)$/.exec(name)?.slice(1) ?? [])
      .map(Number)
      .sort((a, b) => b - a);
    for (const step of steps.slice(this.request.run.checkpoints.keep_last)) {
      const name = path.join(CHECKPOINTS, `step-${step}`);
      if (name !== this.state.bestCheckpoint)
        fs.rmSync(path.join(this.request.runDirectory, name), { recursive: true, force: true });
    }
  }

  private async stop(): Promise<'stopped'> {
    const keep = this.request.stopRequested() === 'checkpoint' && this.state.step > 0;
    const name = path.join(CHECKPOINTS, `step-${this.state.step}`);
    if (keep && this.lastSaved !== this.state.step) await this.save(false);
    const checkpoint = keep ? name : null;
    this.request.emit({ type: 'stopped', time: this.now(), step: this.state.step, checkpoint });
    return 'stopped';
  }

  private async finish(before: Float32Array, reason: 'completed' | 'earlyStopping'): Promise<void> {
    const { run, runDirectory, emit } = this.request;
    if (run.evaluation.early_stopping_patience !== null && this.state.bestCheckpoint)
      await loadWeights(path.join(runDirectory, this.state.bestCheckpoint), this.resident);
    const change = largestChange(before, await this.probe.logits());
    if (change === 0) emit({ type: 'warning', code: 'adapterUnchanged', args: {} });
    const output = run.method.type === 'lora' ? ADAPTER : MODEL;
    await saveWeights(path.join(runDirectory, output), this.resident, run.training.dtype);
    emit({
      type: 'done',
      time: this.now(),
      steps: this.state.step,
      seconds: (performance.now() - this.startedAt) / 1000,
      first_loss: mean(this.state.firstLosses),
      last_loss: mean(this.state.lastLosses),
      best_eval_loss: this.state.bestEvalLoss,
      reason,
      output,
      logit_change: change,
    });
  }
}

function weightedLoss(micros: readonly MicroBatch[], losses: readonly Float32Array[]): number {
  return micros.reduce((sum, { weights, trained }, i) => {
    for (let k = 0; k < trained; k++) sum += weights[k] * losses[i][k];
    return sum;
  }, 0);
}

/** Mean loss per dataset line. */
function rowLosses(micro: MicroBatch, losses: Float32Array): (number | null)[] {
  const sums = micro.lines.map(() => 0);
  const counts = micro.lines.map(() => 0);
  for (let k = 0; k < micro.trained; k++) {
    sums[micro.owners[k]] += losses[k];
    counts[micro.owners[k]]++;
  }
  return sums.map((sum, i) => (counts[i] > 0 ? sum / counts[i] : null));
}

/** As torch.nn.utils.clip_grad_norm_; 0 turns clipping off. */
function clipFactor(norm: number, maxNorm: number): number {
  return maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
