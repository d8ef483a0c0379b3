/** Measuring on an NVIDIA GPU: BENCH_DEVICE=cuda, as `.ci/gpu.mjs` sets it. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Whether both sides compute on a GPU; memory is that of the GPU then. */
export const ON_GPU = process.env.BENCH_DEVICE === 'cuda';

const QUERY = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '--id=0'];
const POLL_MILLISECONDS = 100;

/**
 * Most of the first GPU's memory that was taken beyond what was taken at the start. By the whole GPU, not by process: containers do not
 * see the numbers of processes that the driver sees. Nothing else may use the GPU meanwhile.
 */
export class GpuMemoryWatch {
  private most: number;

  private constructor(
    private readonly before: number,
    private readonly watcher: ChildProcess,
  ) {
    this.most = before;
    createInterface({ input: watcher.stdout! }).on('line', (line) => {
      this.most = Math.max(this.most, Number(line) || 0);
    });
  }

  /** Throws where there is no `nvidia-smi`. */
  static async start(): Promise<GpuMemoryWatch> {
    const before = Number(execFileSync('nvidia-smi', QUERY, { encoding: 'utf8' }).trim());
    const watcher = spawn('nvidia-smi', [...QUERY, `--loop-ms=${POLL_MILLISECONDS}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve, reject) => watcher.once('spawn', resolve).once('error', reject));
    return new GpuMemoryWatch(before, watcher);
  }

  /** `nvidia-smi` looks by itself. */
  look(): void {}

  /** Bytes; the driver counts MiB. */
  get peak(): number {
    return (this.most - this.before) * 2 ** 20;
  }

  stop(): void {
    this.watcher.kill();
  }
}
