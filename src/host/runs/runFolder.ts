/** One run directory, followed from its beginning. Free of `vscode`. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseRunEvent } from '../../protocol/events';
import { parseRunFile, type RunFile } from '../../protocol/run';
import { EVENTS_FILE, RUN_FILE } from '../../protocol/runDirectory';
import { Disposable, toDisposable } from '../lifecycle';
import { FileTail } from '../process/fileTail';
import { runLiveness } from './liveness';
import {
  canResume,
  emptyProgress,
  isLive,
  reduceEvent,
  remainingSeconds,
  runPhase,
  type Liveness,
  type RunPhase,
  type RunProgress,
} from './runState';

/** Milliseconds between checks whether the process of a running run still lives. */
const LIVENESS_MS = 3_000;

export class RunFolder extends Disposable {
  private progressState = emptyProgress();
  private liveness: Liveness = 'unknown';
  private stopRequested = false;
  /** While true, a missing process file means "not yet written". */
  private starting = false;
  private runFile: RunFile | null = null;
  private readonly tail: FileTail;

  constructor(
    readonly directory: string,
    private readonly onChange: (run: RunFolder) => void,
  ) {
    super();
    this.tail = this._register(
      new FileTail(path.join(directory, EVENTS_FILE), ({ lines, restarted }) => {
        if (restarted) this.progressState = emptyProgress();
        for (const line of lines) {
          const event = parseRunEvent(line);
          if (event) this.progressState = reduceEvent(this.progressState, event);
        }
        if (this.progressState.ended) void this.checkProcess();
        this.onChange(this);
      }),
    );
    const timer = setInterval(() => {
      if (isLive(this.phase)) void this.checkProcess();
    }, LIVENESS_MS);
    timer.unref();
    this._register(toDisposable(() => clearInterval(timer)));
  }

  get progress(): RunProgress {
    return this.progressState;
  }

  get phase(): RunPhase {
    return runPhase(this.progressState, this.liveness, this.stopRequested);
  }

  get resumable(): boolean {
    return canResume(this.progressState, this.phase);
  }

  get remainingSeconds(): number | null {
    return isLive(this.phase) ? remainingSeconds(this.progressState) : null;
  }

  /** The resolved run file; null until the process has written it. */
  get run(): RunFile | null {
    return this.runFile;
  }

  get name(): string {
    return this.runFile?.name ?? this.progressState.started?.name ?? path.basename(this.directory);
  }

  /** Share of the steps done, 0 to 1. */
  get fraction(): number {
    const { started, lastStep, done } = this.progressState;
    if (done) return 1;
    return started && lastStep ? Math.min(1, lastStep.step / Math.max(1, started.total_steps)) : 0;
  }

  /** Directory of the result to chat with: the adapter, or the tuned checkpoint; null before the run is done. */
  get output(): string | null {
    const output = this.progressState.done?.output;
    return output ? path.resolve(this.directory, output) : null;
  }

  /** This window started (or resumed) a process for the run; until it reports, the run is being prepared. */
  processStarted(): void {
    this.starting = true;
    this.stopRequested = false;
    this.progressState = { ...this.progressState, ended: null, failed: null };
    this.liveness = 'unknown';
    this.onChange(this);
  }

  /** The process that this window started has ended. */
  async processExited(): Promise<void> {
    this.starting = false;
    await this.refresh();
    this.onChange(this);
  }

  markStopping(stopping: boolean): void {
    this.stopRequested = stopping;
    this.onChange(this);
  }

  /** Reads what is new on disk and looks for the process. */
  async refresh(): Promise<void> {
    await Promise.all([this.tail.refresh(), this.readRunFile(), this.checkProcess()]);
  }

  async checkProcess(): Promise<void> {
    if (!this.runFile) await this.readRunFile();
    const before = this.phase;
    const liveness = await runLiveness(this.directory);
    if (liveness === 'dead' && this.starting) return;
    if (liveness === 'alive') this.starting = false;
    this.liveness = liveness;
    if (liveness === 'dead') this.stopRequested = false;
    if (this.phase !== before) this.onChange(this);
  }

  private async readRunFile(): Promise<void> {
    try {
      const result = parseRunFile(JSON.parse(await readFile(path.join(this.directory, RUN_FILE), 'utf8')));
      if (!('run' in result)) return;
      this.runFile = result.run;
      this.onChange(this);
    } catch {
      // Not written yet, or not a run file of this version: the events still describe the run.
    }
  }
}
