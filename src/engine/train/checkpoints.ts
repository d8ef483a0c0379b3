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

  /** Writes the checkpoint of the state's step, then removes those that are no longer wanted. */
  async save(state: RunState): Promise<string> {
    const name = this.nameOf(state.step);
    await saveCheckpoint(path.join(this.runDirectory, name), this.resident, this.trainables, state);
    this.lastSaved = state.step;
    this.removeOld(state.bestCheckpoint);
    return name;
  }

  private removeOld(best: string | null): void {
    const steps = fs
      .readdirSync(path.join(this.runDirectory, CHECKPOINTS))
      .flatMap((name) => /^step-(\d+)$/.exec(name)?.slice(1) ?? [])
      .map(Number)
      .sort((a, b) => b - a);
    for (const step of steps.slice(this.keepLast)) {
      const name = this.nameOf(step);
      if (name !== best) fs.rmSync(path.join(this.runDirectory, name), { recursive: true, force: true });
    }
  }
}
