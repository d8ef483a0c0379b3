/** Starts, stops and resumes training processes. They are detached: closing the window does not end them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { GlmError } from '../../protocol/errors';
import { LOG_FILE } from '../../protocol/runDirectory';
import { Disposable } from '../lifecycle';
import type { Log } from '../log';
import type { Runtimes } from '../runtimes';
import { controlRun } from './liveness';
import type { RunFolder } from './runFolder';
import type { RunStore } from './runStore';

/** How much of the log is quoted when a process ends without a word. */
const LOG_TAIL_CHARACTERS = 600;

export class TrainingSupervisor extends Disposable {
  constructor(
    private readonly runtimes: Runtimes,
    private readonly runs: RunStore,
    private readonly log: Log,
    /** Told when a process ended without reporting why. */
    private readonly onSilentEnd: (run: RunFolder, error: GlmError) => void,
  ) {
    super();
  }

  /** Starts a run of `runFile` in `runDirectory`, which is made. */
  async start(runFile: string, runDirectory: string): Promise<RunFolder> {
    await mkdir(runDirectory, { recursive: true });
    return this.launch(runDirectory, ['train', '--config', runFile, '--run-dir', runDirectory]);
  }

  async resume(run: RunFolder): Promise<void> {
    await this.launch(run.directory, ['resume', run.directory]);
  }

  /** Asks the process to write a checkpoint and end. */
  async stop(run: RunFolder): Promise<void> {
    run.markStopping(true);
    try {
      const reply = await controlRun(run.directory, 'stop');
      if (reply.error) throw new GlmError(reply.error.code, reply.error.args as never);
    } catch (error) {
      run.markStopping(false);
      await run.refresh();
      if (error instanceof GlmError) throw error;
      // A process that ended meanwhile has nothing left to stop.
      if (run.phase === 'training' || run.phase === 'preparing') {
        throw new GlmError('host.noAnswer', { path: run.directory }, { cause: error });
      }
    }
  }

  private async launch(runDirectory: string, args: string[]): Promise<RunFolder> {
    const { command, args: full, env } = await this.runtimes.cli(args);
    const log = await open(path.join(runDirectory, LOG_FILE), 'a');
    const { size: logStart } = await log.stat();
    this.log.info(`start: ${command} ${full.join(' ')}`);
    try {
      const child = spawn(command, full, {
        cwd: runDirectory,
        env,
        detached: true,
        windowsHide: true,
        stdio: ['ignore', log.fd, log.fd],
      });
      await spawned(child);
      const run = this.runs.add(runDirectory);
      run.processStarted();
      child.once('exit', (code) => void this.ended(run, code ?? -1, logStart));
      child.unref();
      return run;
    } finally {
      await log.close();
    }
  }

  private async ended(run: RunFolder, code: number, logStart: number): Promise<void> {
    this.log.info(`training process of ${run.directory} ended with code ${code}`);
    await run.processExited();
    if (this.isDisposed || code === 0 || run.progress.ended) return;
    const detail = await this.logTail(run.directory, logStart);
    this.onSilentEnd(run, new GlmError('host.processEnded', { code, detail }));
  }

  private async logTail(runDirectory: string, from: number): Promise<string> {
    const bytes = await readFile(path.join(runDirectory, LOG_FILE)).catch(() => Buffer.alloc(0));
    return bytes.subarray(from).toString('utf8').trim().slice(-LOG_TAIL_CHARACTERS);
  }
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}
