/** What every measurement needs: the two programs, where files go, and what this machine is good at. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { processExists } from '../../../src/process/processExists';
import { Assets } from '../assets/assets';
import { ON_GPU } from './gpu';
import { jsonRecords } from './jsonLines';
import { runMeasured } from './measuredProcess';

/** The peer's memory settings: huge pages, and no memory given back between steps. */
export const PEER_ENVIRONMENT: Readonly<Record<string, string>> = {
  GLIBC_TUNABLES: [
    'glibc.malloc.hugetlb=1',
    'glibc.malloc.mmap_threshold=8589934592',
    'glibc.malloc.trim_threshold=17179869184',
  ].join(':'),
  // Its helpers would count as memory.
  TORCHINDUCTOR_COMPILE_THREADS: '1',
  TOKENIZERS_PARALLELISM: 'false',
  HF_HUB_OFFLINE: '1',
};

const SCRATCH = 'scratch-';

/** Seconds after which a peer's process is given up. */
const PEER_LIMIT = 400;

export interface Gflops {
  float32: number;
  bfloat16: number;
}

export class Bench {
  readonly threads = os.availableParallelism();
  readonly assets: Assets;
  /** torch's speed by precision; known after `open`. */
  gflops: Gflops = { float32: 1, bfloat16: 1 };
  private readonly scratch: string;

  /**
   * @param root of the project
   * @param python interpreter of the peers' environment
   * @param cli the product's command line, a JavaScript file
   */
  constructor(
    readonly root: string,
    private readonly python: string,
    readonly cli: string,
  ) {
    const home = path.join(root, 'out/bench');
    mkdirSync(home, { recursive: true });
    removeLeftovers(home);
    this.scratch = path.join(home, `${SCRATCH}${process.pid}`);
    mkdirSync(this.scratch, { recursive: true });
    this.assets = new Assets(
      path.join(home, 'assets'),
      async (directory, sizes) => {
        await runMeasured(python, [this.script('checkpoint.py'), directory, JSON.stringify(sizes)]);
      },
      this.script('checkpoint.py'),
    );
  }

  async open(): Promise<void> {
    this.gflops = (await this.runPeer('precision.py', {})) as unknown as Gflops;
  }

  close(): void {
    rmSync(this.scratch, { recursive: true, force: true });
  }

  /** A fresh empty directory, gone with the bench. */
  freshDirectory(): string {
    return mkdtempSync(path.join(this.scratch, 'run-'));
  }

  script(name: string): string {
    return path.join(this.root, 'test/bench/python', name);
  }

  /** Runs one of the peer's scripts; resolves to its lines that are JSON, the last one being its report. */
  async measurePeer(script: string, settings: object, environment: object = PEER_ENVIRONMENT) {
    const argument = JSON.stringify({ threads: this.threads, ...settings });
    const outcome = await runMeasured(this.python, [this.script(script), argument], {
      env: { ...process.env, ...environment },
      limit: PEER_LIMIT,
    });
    const records = jsonRecords(outcome.lines);
    const report = records.at(-1);
    if (!report) throw new Error(`${script} reported nothing`);
    // Its own memory only: compilers that it starts are not its work. A GPU is watched from outside.
    return { records, report, peak: ON_GPU ? outcome.peak : Number(report.peak) };
  }

  private async runPeer(script: string, settings: object): Promise<Record<string, unknown>> {
    return (await this.measurePeer(script, settings)).report;
  }

  /**
   * Precisions that can win a row in bfloat16 for PyTorch. On a processor without bfloat16 instructions its matrix products take many
   * times as long as in float32, and an hour would go into the obvious.
   */
  peerPrecisions(dtype: 'float32' | 'bfloat16'): Precision[] {
    if (dtype === 'float32') return ['float32'];
    const { float32, bfloat16 } = this.gflops;
    const halves: Precision[] = bfloat16 > float32 / 3 ? ['bfloat16', 'autocast'] : [];
    return float32 > bfloat16 / 2 ? [...halves, 'float32'] : halves;
  }
}

/** What interrupted benchmarks have left. */
function removeLeftovers(home: string): void {
  for (const name of readdirSync(home).filter((entry) => entry.startsWith(SCRATCH))) {
    if (!processExists(Number(name.slice(SCRATCH.length))))
      rmSync(path.join(home, name), { recursive: true, force: true });
  }
}

export type Precision = 'float32' | 'bfloat16' | 'autocast';
