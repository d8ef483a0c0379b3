/** Adds up what several files at a time have received. */
import type { DownloadPhase, DownloadProgress } from '../protocol/download';

/** Least time between two reports of the same phase; milliseconds. */
const INTERVAL = 100;

export class DownloadMeter {
  private readonly received = new Map<string, number>();
  private total = 0;
  private sum = 0;
  private last: { phase: DownloadPhase | null; time: number } = { phase: null, time: 0 };
  private pending: NodeJS.Timeout | undefined;

  constructor(private readonly listener: (progress: DownloadProgress) => void) {}

  setTotal(bytes: number): void {
    this.total = bytes;
  }

  /** Bytes of all files that are here. */
  get receivedBytes(): number {
    return this.sum;
  }

  /** Says how much of a file is here. */
  set(file: string, bytes: number): void {
    this.sum += bytes - (this.received.get(file) ?? 0);
    this.received.set(file, bytes);
  }

  report(phase: DownloadPhase, file = '', pause?: number): void {
    const time = Date.now();
    const done = this.sum === this.total;
    const early = this.last.time + INTERVAL - time;
    this.end();
    if (phase === this.last.phase && early > 0 && !done) {
      // The newest state comes through even where a silent server lets no other report follow.
      this.pending = setTimeout(() => this.report(phase, file, pause), early).unref();
      return;
    }
    this.last = { phase, time };
    this.listener({
      type: 'progress',
      phase,
      file,
      received_bytes: this.sum,
      total_bytes: this.total,
      ...(pause === undefined ? {} : { pause_ms: Math.round(pause) }),
    });
  }

  /** Drops a report that waits for its time. */
  end(): void {
    clearTimeout(this.pending);
  }
}
