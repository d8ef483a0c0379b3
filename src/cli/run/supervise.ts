/** Runs the trainer in a run directory: event log, control socket, signals, and what happens when it fails. */
import type { ControlMethod, RunState } from '../../protocol/control';
import { toErrorData } from '../../protocol/errors';
import type { FailedEvent, RunEvent } from '../../protocol/events';
import type { RunFile } from '../../protocol/run';
import { describeThrown } from '../../text/errors';
import type { CommandContext } from '../context';
import type { Engine } from '../engineLoader';
import { EXIT_INTERRUPTED, EXIT_OK } from '../exit';
import { ignoreHangup, onInterrupt } from '../interrupt';
import { ControlServer } from './controlServer';
import { EventLog } from './eventLog';
import { claimDirectory } from './processFile';
import { TrainingView } from './trainingView';

/** The part of the engine that a run needs. */
export type Trainer = Pick<Engine, 'train'>;

export interface TrainingJob {
  /** Every path absolute. */
  run: RunFile;
  directory: string;
  /** Checkpoint directory, or null for a new run. */
  resumeFrom: string | null;
  versions: Record<string, string>;
  /** Steps of the whole run, where an earlier process has said it. */
  totalSteps?: number;
  /** Called once the directory belongs to this process, before training starts. */
  prepare(): void;
}

type StopRequest = 'no' | 'checkpoint' | 'now';

/**
 * Trains and resolves to the exit code: 0 when done or stopped through the socket, 130 when stopped by a signal.
 * A failure is written to the event log as `failed` and thrown again.
 */
export async function superviseTraining(
  context: CommandContext,
  trainer: Trainer,
  job: TrainingJob,
): Promise<number> {
  const session = new Session(context, job);
  const server = await ControlServer.listen((method) => session.control(method));
  const removeFiles = (): void => server.removeFiles();
  process.once('exit', removeFiles);
  let release: (() => void) | null = null;
  const restoreSignals = onInterrupt((count) => session.interrupt(count));
  ignoreHangup();
  try {
    release = await claimDirectory(job.directory, server.address);
    process.once('exit', release);
    return await session.train(trainer);
  } finally {
    restoreSignals();
    if (release) {
      release();
      process.off('exit', release);
    }
    await server.close();
    process.off('exit', removeFiles);
  }
}

class Session {
  private state: RunState = 'preparing';
  private step = 0;
  private stop: StopRequest = 'no';
  private signalled = false;
  private readonly view: TrainingView;

  constructor(
    private readonly context: CommandContext,
    private readonly job: TrainingJob,
  ) {
    this.view = new TrainingView(context, job.directory, job.totalSteps);
  }

  async train(trainer: Trainer): Promise<number> {
    const log = new EventLog(this.job.directory);
    const emit = (event: RunEvent): void => {
      this.follow(event);
      log.append(event);
      this.view.show(event);
    };
    try {
      this.job.prepare();
      await trainer.train({
        run: this.job.run,
        runDirectory: this.job.directory,
        resumeFrom: this.job.resumeFrom,
        versions: this.job.versions,
        emit,
        stopRequested: () => this.stop,
      });
      return this.signalled && this.state !== 'done' ? EXIT_INTERRUPTED : EXIT_OK;
    } catch (error) {
      recordFailure(this.context, error, this.step, emit);
      throw error;
    } finally {
      this.view.end();
      log.close();
    }
  }

  control(method: ControlMethod): { state: RunState; step: number } {
    if (method === 'stop') this.requestStop('checkpoint');
    if (method === 'stopNow') this.requestStop('now');
    return { state: this.state, step: this.step };
  }

  interrupt(count: number): void {
    const { output, t } = this.context;
    this.signalled = true;
    this.requestStop(count === 1 ? 'checkpoint' : 'now');
    output.info(
      count === 1
        ? t('Stopping after this step, with a checkpoint. Press Ctrl-C again to stop without one.')
        : t('Stopping now.'),
    );
  }

  private requestStop(request: StopRequest): void {
    if (this.state === 'done' || this.state === 'failed' || this.state === 'stopped') return;
    // "now" is never taken back by a later "stop".
    if (this.stop !== 'now') this.stop = request;
    this.state = 'stopping';
  }

  private follow(event: RunEvent): void {
    if ('step' in event) this.step = event.step;
    if (event.type === 'done') this.state = 'done';
    else if (event.type === 'failed') this.state = 'failed';
    else if (event.type === 'stopped') this.state = 'stopped';
    else if (this.state === 'preparing' && event.type !== 'warning') this.state = 'training';
  }
}

/** Emits the `failed` event of anything thrown. A log that cannot be written must not hide what was thrown first. */
export function recordFailure(
  context: CommandContext,
  error: unknown,
  step: number,
  emit: (event: FailedEvent) => void,
): void {
  const { message } = describeThrown(context.t, error);
  try {
    emit({ type: 'failed', time: new Date().toISOString(), step, error: toErrorData(error), message });
  } catch (logError) {
    context.output.error(context.t('Error:'), describeThrown(context.t, logError));
  }
}
