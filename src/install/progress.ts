/** What an installation tells its user. */
import type { WheelPin } from './pins';

export interface InstallProgress {
  /**
   * `waiting`: another process installs; `preparing`: looking for the files; `downloading`; `unpacking`: writing and
   * checking a file.
   */
  phase: 'waiting' | 'preparing' | 'downloading' | 'unpacking';
  /** Wheel or member at work; empty while waiting. */
  file: string;
  /** Bytes of the whole installation that are here, those of earlier tries included. */
  receivedBytes: number;
  totalBytes: number;
}

/** Least time between two reports of the same phase and file; milliseconds. */
const INTERVAL = 100;

/** Adds up the bytes of all wheels. */
export class ProgressTracker {
  private finished = 0;
  private total: number;
  private last = { key: '', time: 0 };

  constructor(
    wheels: readonly WheelPin[],
    private readonly listener: (progress: InstallProgress) => void,
  ) {
    this.total = wheels.reduce((sum, wheel) => sum + packedBytes(wheel), 0);
  }

  report(phase: InstallProgress['phase'], file: string, current = 0): void {
    const key = `${phase} ${file}`;
    const time = Date.now();
    const receivedBytes = Math.min(this.finished + current, this.total);
    if (key === this.last.key && time - this.last.time < INTERVAL && receivedBytes < this.total) return;
    this.last = { key, time };
    this.listener({ phase, file, receivedBytes, totalBytes: this.total });
  }

  /** A member, or a whole wheel, is here. */
  finish(bytes: number): void {
    this.finished += bytes;
  }

  /** More has to be downloaded than was pinned: a whole wheel instead of its members. */
  enlarge(bytes: number): void {
    this.total += bytes;
  }
}

export function packedBytes(wheel: WheelPin): number {
  return wheel.members.reduce((sum, member) => sum + member.packedBytes, 0);
}
