/** Trains a model: a function of a run file that emits plain-data events. */
import path from 'node:path';
import { readConfig } from '../../checkpoint/config';
import { GlmError } from '../../protocol/errors';
import type { MemoryPlan, RunEvent } from '../../protocol/events';
import type { RunFile } from '../../protocol/run';
import { ADAPTER, MODEL } from '../../protocol/runDirectory';
import { backend } from '../backend/backend';
import type { Places } from '../glm/model';
import { LoadCancelled, loadModel } from '../loadModel';
import { availableMemory, freeMemory, peakMemory } from '../memory';
import { requireHeap } from '../portableLimit';
import type { ResidentModel } from '../residentModel';
import { placesOf } from '../sequence';
import { CheckpointKeeper } from './checkpoints';
import { readRunData, type RunData } from './data';
import { mean } from './losses';
import { activationBytes, planMemory, type BatchShape, type MemorySubject } from './memoryPlan';
import { dropsValues, prepareMethod } from './method';
import { adapterLayout } from './methodLayout';
import { MicroBatchSize } from './microBatchSize';
import { optimisers } from './optimisers';
import { OptimiserStep } from './optimiserStep';
import { planRun, startEvents, type RunPlan } from './plan';
import { largestChange, Probe } from './probe';
import { RowStream } from './rowStream';
import { largestShape, memorySubject, rowModelOf } from './runMemory';
import { loadCheckpoint, loadWeights, newState, readState, saveWeights, type RunState } from './state';
import { TrainingStep } from './step';
import { trainablesOf, type Trainables } from './trainables';
import { returnsToBest, Validation } from './validation';

export interface TrainRequest {
  /** Defaults filled in, paths absolute. */
  run: RunFile;
  runDirectory: string;
  /** Checkpoint directory of this run to go on from, or null. */
  resumeFrom: string | null;
  /** For the `started` event. */
  versions: Record<string, string>;
  emit: (event: RunEvent) => void;
  /** Asked while loading and between micro-batches: `checkpoint` saves first, `now` does not. */
  stopRequested: () => 'no' | 'checkpoint' | 'now';
}

/** Steps whose mean loss opens and closes the summary: a tenth of the run. */
const SUMMARY_SHARE = 0.1;

/** Runs to the end or until stopped. Throws GlmError; what was checkpointed before stays. */
export async function train(request: TrainRequest): Promise<'done' | 'stopped'> {
  try {
    return await loadAndTrain(request);
  } catch (error) {
    if (!(error instanceof LoadCancelled)) throw error;
    const { resumeFrom, runDirectory, emit } = request;
    const step = resumeFrom ? readState(resumeFrom).step : 0;
    const checkpoint = resumeFrom && path.relative(runDirectory, resumeFrom);
    emit({ type: 'stopped', time: new Date().toISOString(), step, checkpoint });
    return 'stopped';
  }
}

async function loadAndTrain(request: TrainRequest): Promise<'done' | 'stopped'> {
  const { run } = request;
  const { resident, data } = await loadWithData(request);
  try {
    await prepareMethod(run, resident);
    const trainables = trainablesOf(resident, optimisers[run.training.optimizer]);
    return await new Trainer(request, resident, trainables, data).run();
  } finally {
    await resident.close();
  }
}

/** Weights come from the disk while the data is made into tokens; where one fails, the other is given up. */
async function loadWithData({
  run,
  stopRequested,
}: TrainRequest): Promise<{ resident: ResidentModel; data: RunData }> {
  const failures: unknown[] = [];
  const cancelled = (): boolean => failures.length > 0 || stopRequested() !== 'no';
  const noting = async <T>(work: () => Promise<T>): Promise<T | null> =>
    work().catch((error: unknown) => {
      failures.push(error);
      return null;
    });
  const [resident, data] = await Promise.all([
    noting(() =>
      loadModel({
        directory: run.model,
        dtype: run.training.dtype,
        trainable: run.method.type === 'full',
        quantization: run.quantization,
        cancelled,
      }),
    ),
    noting(async () => {
      const config = readConfig(run.model);
      return readRunData(run, rowModelOf(config, adapterLayout(run, config)), cancelled);
    }),
  ]);
  if (resident && data) return { resident, data };
  await resident?.close();
  throw failures[0];
}

class Trainer {
  private readonly plan: RunPlan;
  private readonly step: TrainingStep;
  private readonly stream: RowStream;
  private readonly size: MicroBatchSize;
  private readonly optimiserStep: OptimiserStep;
  private readonly validation: Validation;
  private readonly probe: Probe;
  private readonly subject: MemorySubject;
  private readonly checkpoints: CheckpointKeeper;
  private startedAt = 0;
  private state: RunState;

  constructor(
    private readonly request: TrainRequest,
    private readonly resident: ResidentModel,
    private readonly trainables: Trainables,
    private readonly data: RunData,
  ) {
    const { run, runDirectory, emit, stopRequested } = request;
    const { training } = run;
    this.state = newState(training.batch_size);
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
      noiseAlpha: training.neftune_noise_alpha,
      labelSmoothing: training.label_smoothing_factor,
      decayAll: training.weight_decay_on === 'all',
    });
    this.size = new MicroBatchSize(training.batch_size, training.auto_batch_size, (rows) =>
      emit({ type: 'warning', code: 'batchHalved', args: { rows, step: this.state.step + 1 } }),
    );
    const shared = {
      run,
      emit,
      step: this.step,
      size: this.size,
      places: (ids: Int32Array, paddingBefore: number): Places => placesOf(resident, ids, paddingBefore),
      seconds: () => this.seconds,
    };
    const { plan, stream } = this;
    const stopped = (): boolean => stopRequested() !== 'no';
    this.subject = memorySubject(run, resident.model.config, resident.adapter);
    const onGpu = backend()
      .devices()
      .some(({ type }) => type === 'GPU');
    const needed = (shape: BatchShape): number => activationBytes(this.subject, shape);
    const room = onGpu ? null : { needed, free: freeMemory };
    this.optimiserStep = new OptimiserStep({ ...shared, plan, stream, stopped, room });
    this.validation = new Validation({
      ...shared,
      rows: data.validation.rows,
      totalSteps: plan.totalSteps,
      stopped: () => stopRequested() === 'now',
      epoch: () => stream.epochs,
    });
    this.probe = new Probe(resident, plan.rows[0]);
    const { weights, gradients, optimizer } = this.memory();
    requireHeap(run.model, weights + gradients + optimizer);
    this.checkpoints = new CheckpointKeeper(runDirectory, run.checkpoints.keep_last, resident, trainables);
  }

  async run(): Promise<'done' | 'stopped'> {
    const { run, versions, emit, resumeFrom } = this.request;
    const before = await this.probe.logits();
    await this.step.initialise();
    if (resumeFrom) await this.resume(resumeFrom);
    else
      startEvents(run, versions, this.resident, this.trainables, this.data, this.plan, this.memory()).forEach(
        emit,
      );
    this.startedAt = performance.now();
    let reason: 'completed' | 'earlyStopping' = 'completed';
    while (this.state.step < this.plan.totalSteps) {
      const event = await this.optimiserStep.next(this.state);
      if (!event) return this.stop();
      this.remember(event.loss);
      const verdict = await this.validation.check(this.state);
      // What the run may return to has to be on disk.
      if (verdict === 'best' && returnsToBest(run)) await this.save(true);
      if (verdict === 'giveUp') {
        reason = 'earlyStopping';
        break;
      }
      await this.saveIfDue();
    }
    await this.finish(before, reason);
    return 'done';
  }

  private memory(): MemoryPlan {
    const shape = largestShape(this.plan.rows, this.size.rows);
    return planMemory(this.subject, shape, availableMemory());
  }

  private get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  private async resume(directory: string): Promise<void> {
    this.state = await loadCheckpoint(directory, this.resident, this.trainables);
    this.stream.consumed = this.state.rowsConsumed;
    this.size.rows = this.state.microBatch;
    this.optimiserStep.restore(this.state);
    const { bestCheckpoint } = this.state;
    if (bestCheckpoint !== null && !this.checkpoints.isThere(bestCheckpoint)) {
      // A later step was better, and the run goes on from before it: the next evaluation is the best again.
      this.state = { ...this.state, bestCheckpoint: null, bestEvalLoss: null };
    }
    const checkpoint = path.relative(this.request.runDirectory, directory);
    this.request.emit({ type: 'resumed', time: new Date().toISOString(), step: this.state.step, checkpoint });
  }

  private remember(loss: number): void {
    if (!Number.isFinite(loss)) return;
    const count = Math.max(1, Math.round(this.plan.totalSteps * SUMMARY_SHARE));
    if (this.state.firstLosses.length < count) this.state.firstLosses.push(loss);
    this.state.lastLosses.push(loss);
    if (this.state.lastLosses.length > count) this.state.lastLosses.shift();
  }

  private async saveIfDue(): Promise<void> {
    const { every_steps: every } = this.request.run.checkpoints;
    const { step } = this.state;
    const isDue = every > 0 && step % every === 0 && step < this.plan.totalSteps;
    if (isDue && !this.checkpoints.has(step)) await this.save(false);
  }

  private async save(best: boolean): Promise<void> {
    const { step } = this.state;
    // A checkpoint of ruined weights would push out the sound ones.
    if (!(await this.step.weightsAreFinite())) throw new GlmError('engine.badWeights', { step });
    if (best) this.state.bestCheckpoint = this.checkpoints.nameOf(step);
    const name = await this.checkpoints.save({ ...this.state, ...this.optimiserStep.saved });
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
    if (returnsToBest(run) && bestCheckpoint)
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
      peak_memory: peakMemory(),
    });
  }
}
