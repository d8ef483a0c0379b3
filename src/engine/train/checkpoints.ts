/** The checkpoints of a run directory: written when due, the newest and the best kept. */
import fs from 'node:fs';
import path from 'node:path';
import { CHECKPOINTS } from '../../protocol/runDirectory';
import type { ResidentModel } from '../residentModel';
import { saveCheckpoint, type RunState } from './state';
import type { Trainables } from './trainables';

export class CheckpointKeeper {
  private lastSaved = -1;

  constructor(
    private readonly runDirectory: string,
    private readonly keepLast: number,
    private readonly resident: ResidentModel,
    private readonly trainables: Trainables,
  ) {}

  /** Path of a step's checkpoint, relative to the run directory. */
  nameOf(step: number): string {
    return path.join(CHECKPOINTS, `step-${step}`);
  }

  has(step: number): boolean {
    return this.lastSaved === step;
  }

  /** Whether a checkpoint of that name, as `nameOf` gives it, is on disk. */
  isThere(name: string): boolean {
    return fs.existsSync(path.join(this.runDirectory, name));
  }

  /** Writes the checkpoint of the state's step, then removes those that are no longer wanted. */
  async save(state: RunState): Promise<string> {
    const name = this.nameOf(state.step);
    await saveCheckpoint(path.join(this.runDirectory, name), this.resident, this.trainables, state);
    this.lastSaved = state.step;
    this.removeOld(state);
    return name;
  }

  /**
   * Keeps the newest checkpoints up to the state's step, and the best. Those of later steps were left behind when the run was
   * resumed from an earlier one: they would outrank the new ones.
   */
  private removeOld({ step: now, bestCheckpoint }: RunState): void {
    const steps = fs
      .readdirSync(path.join(this.runDirectory, CHECKPOINTS))
      .flatMap((name) => /^step-(\d+)$/.exec(name)?.slice(1) ?? [])
      .map(Number)
      .sort((a, b) => b - a);
    const kept = steps.filter((step) => step <= now).slice(0, this.keepLast);
    const unwanted = steps
      .filter((step) => !kept.includes(step))
      .map((step) => this.nameOf(step))
      .filter((name) => name !== bestCheckpoint);
    for (const name of unwanted)
      fs.rmSync(path.join(this.runDirectory, name), { recursive: true, force: true });
  }
}
