/** What a run's event stream says about it. Pure: events in, state out. */
import type {
  CheckpointEvent,
  DoneEvent,
  EvalEvent,
  FailedEvent,
  RunEvent,
  StartedEvent,
  StepEvent,
  WarningEvent,
} from '../../protocol/events';

/** `interrupted`: the events say it runs, but no process does (power loss, kill, out of memory). */
export type RunPhase = 'preparing' | 'training' | 'stopping' | 'stopped' | 'done' | 'failed' | 'interrupted';

/** Share of the past in the step-time average behind the remaining-time estimate. */
const STEP_TIME_DECAY = 0.95;

export interface RunProgress {
  started: StartedEvent | null;
  lastStep: StepEvent | null;
  evals: EvalEvent[];
  checkpoints: CheckpointEvent[];
  warnings: WarningEvent[];
  failed: FailedEvent | null;
  done: DoneEvent | null;
  stoppedAt: number | null;
  resumes: number;
  /** Debiased moving average of seconds per step since the run (or its resumption) started. */
  stepSeconds: { average: number; weight: number; last: number };
  /** What the last decisive event said. */
  ended: 'stopped' | 'done' | 'failed' | null;
}

export function emptyProgress(): RunProgress {
  return {
    started: null,
    lastStep: null,
    evals: [],
    checkpoints: [],
    warnings: [],
    failed: null,
    done: null,
    stoppedAt: null,
    resumes: 0,
    stepSeconds: { average: 0, weight: 0, last: 0 },
    ended: null,
  };
}

/** `progress` after `event`; `progress` itself is left as it was. */
export function reduceEvent(progress: RunProgress, event: RunEvent): RunProgress {
  switch (event.type) {
    case 'started':
      return { ...emptyProgress(), warnings: progress.warnings, started: event };
    case 'step':
      return { ...progress, lastStep: event, stepSeconds: addStepTime(progress, event), ended: null };
    case 'eval':
      return { ...progress, evals: [...progress.evals, event] };
    case 'checkpoint':
      return { ...progress, checkpoints: [...progress.checkpoints, event] };
    case 'warning':
      return { ...progress, warnings: [...progress.warnings, event] };
    case 'resumed':
      return resume(progress, event.step);
    case 'stopped':
      return { ...progress, stoppedAt: event.step, ended: 'stopped' };
    case 'failed':
      return { ...progress, failed: event, ended: 'failed' };
    case 'done':
      return { ...progress, done: event, ended: 'done' };
    default:
      return progress; // An event of a later version.
  }
}

/** Drops what came after the checkpoint that the run went on from. */
function resume(progress: RunProgress, step: number): RunProgress {
  const last = progress.lastStep;
  return {
    ...progress,
    lastStep: last && last.step > step ? { ...last, step } : last,
    evals: progress.evals.filter((event) => event.step <= step),
    checkpoints: progress.checkpoints.filter((event) => event.step <= step),
    failed: null,
    done: null,
    stoppedAt: null,
    resumes: progress.resumes + 1,
    stepSeconds: { average: 0, weight: 0, last: 0 },
    ended: null,
  };
}

function addStepTime(progress: RunProgress, event: StepEvent): RunProgress['stepSeconds'] {
  const { average, weight, last } = progress.stepSeconds;
  const seconds = event.seconds - last;
  if (!(seconds > 0)) return { average, weight, last: event.seconds };
  // The first interval also holds warm-up (graph building), so it starts the clock only.
  if (last === 0) return { average, weight, last: event.seconds };
  return {
    average: average * STEP_TIME_DECAY + seconds * (1 - STEP_TIME_DECAY),
    weight: weight * STEP_TIME_DECAY + (1 - STEP_TIME_DECAY),
    last: event.seconds,
  };
}

/** Seconds until the last step at the present pace; null before two steps were seen. */
export function remainingSeconds(progress: RunProgress): number | null {
  const { started, lastStep, stepSeconds } = progress;
  if (!started || !lastStep || stepSeconds.weight === 0 || progress.ended) return null;
  const left = Math.max(0, started.total_steps - lastStep.step);
  return (left * stepSeconds.average) / stepSeconds.weight;
}

/** What is known about the process of a run. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** The phase of a run from its events, its process, and whether this window asked it to stop. */
export function runPhase(progress: RunProgress, process: Liveness, stopRequested: boolean): RunPhase {
  // A process that lives after a decisive event is a resumption that has not reported yet.
  if (progress.ended && process !== 'alive') return progress.ended;
  if (progress.ended === 'done' || progress.ended === 'failed') return progress.ended;
  if (process === 'dead') return 'interrupted';
  if (stopRequested) return 'stopping';
  if (progress.ended === 'stopped') return 'stopped';
  return progress.lastStep ? 'training' : 'preparing';
}

export function isLive(phase: RunPhase): boolean {
  return phase === 'preparing' || phase === 'training' || phase === 'stopping';
}

/** A run that ended before its last step and has a checkpoint to go on from. */
export function canResume(progress: RunProgress, phase: RunPhase): boolean {
  const ended = phase === 'stopped' || phase === 'failed' || phase === 'interrupted';
  return ended && progress.checkpoints.length > 0;
}
