/** Takes a training step of a run apart: where its time and its memory go. */
import os from 'node:os';
import type { RunFile } from '../../protocol/run';
import { GlmError } from '../../protocol/errors';
import { backend, useBackend } from '../backend/backend';
import { devices } from '../backend/context';
import { Tracing, type TracedRun } from '../backend/tracing';
import type { Places } from '../glm/model';
import { LoadCancelled, loadModel } from '../loadModel';
import { availableMemory } from '../memory';
import type { ResidentModel } from '../residentModel';
import { placesOf } from '../sequence';
import { readRunData, type RunData } from '../train/data';
import { planMemory, type BatchShape } from '../train/memoryPlan';
import { dropsValues, prepareMethod } from '../train/method';
import type { MicroBatch } from '../train/microBatch';
import { MicroBatchSize } from '../train/microBatchSize';
import { optimisers } from '../train/optimisers';
import { OptimiserStep } from '../train/optimiserStep';
import { planRun } from '../train/plan';
import { RowStream } from '../train/rowStream';
import { largestShape, memorySubject } from '../train/runMemory';
import { newState } from '../train/state';
import { TrainingStep } from '../train/step';
import { trainablesOf, type Trainables } from '../train/trainables';
import { breakDown } from './breakdown';
import { measureMemory } from './memory';
import { measurePeaks } from './peaks';
import type { DevicePeaks, ProfileMemory, ProfileReport } from './types';

export type ProfilePhase = 'loading' | 'steps' | 'peaks';

export interface ProfileRequest {
  /** Defaults filled in, paths absolute. */
  run: RunFile;
  /** Steps that are timed, and as many that are traced. */
  steps: number;
  /** Called before each piece of work; `done` of `total` steps. */
  progress: (phase: ProfilePhase, done: number, total: number) => void;
  /** Asked between pieces of work. */
  stopRequested: () => boolean;
}

/** Steps before anything is measured: functions are prepared in the first, memory settles in the second. */
const WARM_UP = 2;

/**
 * Trains on the run's first rows, the same in every step, and keeps nothing of it. Null where it was stopped. Throws what training
 * throws, and `engine.noTrace`. Everything that the process computes from here on is traced, so a process profiles and does nothing else.
 */
export async function profile(request: ProfileRequest): Promise<ProfileReport | null> {
  if (backend().kind === 'portable') throw new GlmError('engine.noTrace', {});
  const tracing = new Tracing();
  useBackend(tracing.backend);
  try {
    return await loadAndProfile(request, tracing);
  } catch (error) {
    if (error instanceof LoadCancelled) return null;
    throw error;
  }
}

async function loadAndProfile(request: ProfileRequest, tracing: Tracing): Promise<ProfileReport | null> {
  const { run, progress, stopRequested } = request;
  progress('loading', 0, 1);
  const resident = await loadModel({
    directory: run.model,
    dtype: run.training.dtype,
    trainable: run.method.type === 'full',
    quantization: run.quantization,
    cancelled: stopRequested,
  });
  try {
    await prepareMethod(run, resident);
    const data = await readRunData(run, resident, stopRequested);
    return await new StepProfiler(request, tracing, resident, data).profile();
  } finally {
    await resident.close();
  }
}

/** Milliseconds and runs of one step. */
interface WatchedStep {
  milliseconds: number;
  runs: TracedRun[];
}

class StepProfiler {
  private readonly plan;
  private readonly stream: RowStream;
  private readonly trainables: Trainables;
  private readonly step: RecordedStep;
  private readonly optimiserStep: OptimiserStep;
  private readonly state;
  private tokens = 0;

  constructor(
    private readonly request: ProfileRequest,
    private readonly tracing: Tracing,
    private readonly resident: ResidentModel,
    data: RunData,
  ) {
    const { run, stopRequested } = request;
    const { training } = run;
    this.plan = planRun(run, data, resident.maxLength);
    this.trainables = trainablesOf(resident, optimisers[training.optimizer]);
    this.stream = new RowStream(
      this.plan.rows.map((row) => row.inputIds.length),
      {
        shuffle: training.shuffle,
        groupByLength: training.group_by_length,
        seed: training.seed,
        batchSize: training.batch_size,
      },
    );
    this.step = new RecordedStep(resident, this.trainables, {
      gradientCheckpointing: training.gradient_checkpointing,
      drops: dropsValues(resident),
      noiseAlpha: training.neftune_noise_alpha,
      labelSmoothing: training.label_smoothing_factor,
      decayAll: training.weight_decay_on === 'all',
    });
    this.state = newState(training.batch_size);
    this.optimiserStep = new OptimiserStep({
      run,
      plan: this.plan,
      stream: this.stream,
      step: this.step,
      places: (ids: Int32Array, paddingBefore: number): Places => placesOf(resident, ids, paddingBefore),
      size: new MicroBatchSize(training.batch_size, training.auto_batch_size, () => undefined),
      room: null,
      emit: () => undefined,
      stopped: stopRequested,
      seconds: () => 0,
    });
  }

  async profile(): Promise<ProfileReport | null> {
    const { steps, progress, stopRequested } = this.request;
    await this.step.initialise();
    const total = WARM_UP + 2 * steps;
    const timed: WatchedStep[] = [];
    const traced: WatchedStep[] = [];
    // In turn, so that whatever else the machine does falls on both.
    for (let i = 0; i < total; i++) {
      progress('steps', i, total);
      const wantsNodes = i >= WARM_UP && i % 2 === 1;
      const step = await this.next(wantsNodes ? 'nodes' : 'times');
      if (stopRequested()) return null;
      if (i >= WARM_UP) (wantsNodes ? traced : timed).push(step);
    }
    progress('steps', total, total);
    const memory = this.memory(traced);
    progress('peaks', 0, 1);
    const peaks = await measurePeaks(this.tracing, this.request.run.training.dtype);
    return this.report(peaks, memory, timed, traced);
  }

  private async next(note: 'times' | 'nodes'): Promise<WatchedStep> {
    this.stream.consumed = 0;
    this.step.micros = [];
    const began = performance.now();
    const runs = await this.tracing.watch(note, async () => {
      const event = await this.optimiserStep.next(this.state);
      this.tokens = event?.tokens ?? 0;
    });
    return { milliseconds: performance.now() - began, runs };
  }

  /** Before the peaks are measured, which takes memory of its own. */
  private memory(traced: WatchedStep[]): ProfileMemory {
    const { run } = this.request;
    const subject = memorySubject(run, this.resident.model.config, this.resident.adapter);
    const shape = largestShape(this.plan.rows, run.training.batch_size);
    const plan = planMemory(subject, shape, availableMemory());
    return measureMemory(traced[0].runs, this.tracing.variables, this.trainables, plan);
  }

  private report(
    peaks: DevicePeaks,
    memory: ProfileMemory,
    timed: WatchedStep[],
    traced: WatchedStep[],
  ): ProfileReport {
    const times = timed.map(({ milliseconds }) => milliseconds);
    const typical = median(traced, ({ runs }) => called(runs));
    const { busy, ...parts } = breakDown(typical.runs, peaks);
    const inCalls = called(typical.runs);
    const host = median(timed.map(outsideCalls), (time) => time);
    return {
      device: deviceName(),
      dtype: this.resident.dtype,
      threads: os.availableParallelism(),
      peaks,
      shapes: this.step.micros,
      tokens: this.tokens,
      layers: this.resident.model.layers,
      step: { median: median(times, (time) => time), least: Math.min(...times), most: Math.max(...times) },
      traced: inCalls + host,
      ...parts,
      host,
      dispatch: Math.max(0, inCalls - busy),
      memory,
    };
  }
}

/** A training step that remembers the shapes of its micro-batches. */
class RecordedStep extends TrainingStep {
  micros: BatchShape[] = [];

  override accumulate(
    micro: MicroBatch,
    options: Parameters<TrainingStep['accumulate']>[1],
  ): ReturnType<TrainingStep['accumulate']> {
    const { batch, length, k } = micro;
    this.micros.push({ batch, length, k });
    return super.accumulate(micro, options);
  }
}

/** Milliseconds within the library's functions. */
function called(runs: readonly TracedRun[]): number {
  return runs.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}

/** Milliseconds outside of them. Decoding traces is no part of a step, so only steps without are asked. */
function outsideCalls({ milliseconds, runs }: WatchedStep): number {
  return milliseconds - called(runs);
}

/** The middle one in the order of `measure`; of two in the middle the smaller. */
function median<T>(values: readonly T[], measure: (value: T) => number): T {
  const sorted = [...values].sort((a, b) => measure(a) - measure(b));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

function deviceName(): string {
  const gpu = devices().find(({ type }) => type === 'GPU');
  return gpu ? `GPU ${gpu.name.replace(/^.*:/, '')}` : 'CPU';
}
