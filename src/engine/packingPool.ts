/** Threads that quantise matrices, so that every core works on it and JavaScript stays free. */
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { packNf4From } from '../checkpoint/packed/nf4';
import type { PackingJob, PackingResult } from '../checkpoint/packed/packingWorker';
import type { Nf4Matrix } from '../checkpoint/packed/types';
import type { TensorReader } from '../checkpoint/types';
import { GlmError } from '../protocol/errors';

/** Each holds a few buffers and the matrix it makes. */
const MOST_WORKERS = 8;

/** Beside the bundle; missing where the code runs from elsewhere, as in tests. */
const WORKER_FILE = path.join(__dirname, 'packingWorker.js');

interface Waiting {
  resolve: (matrix: Nf4Matrix) => void;
  reject: (error: Error) => void;
}

export class PackingPool {
  private readonly workers: Worker[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private jobs = 0;
  private broken: Error | null = null;

  /** @param file the worker's code; without it this thread does the work */
  constructor(
    private readonly reader: TensorReader,
    private readonly file: string = WORKER_FILE,
  ) {}

  /** Matrices that are packed at the same time. */
  get width(): number {
    return existsSync(this.file) ? Math.min(MOST_WORKERS, Math.max(2, os.availableParallelism())) : 1;
  }

  /** Quantises a matrix of the reader's files. Throws as `packNf4From` does. */
  async pack(name: string, doubleQuant: boolean): Promise<Nf4Matrix> {
    const entry = this.reader.tensors.get(name);
    if (this.width === 1 || !entry) return packNf4From(this.reader, name, doubleQuant);
    if (this.broken) throw this.broken;
    const id = this.jobs++;
    if (this.workers.length < this.width) this.workers.push(this.start());
    const worker = this.workers[id % this.workers.length];
    const job: PackingJob = { id, entry, descriptor: this.reader.descriptor(name), doubleQuant };
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.postMessage(job);
    });
  }

  private start(): Worker {
    const worker = new Worker(this.file);
    worker.on('message', (result: PackingResult) => {
      const waiting = this.waiting.get(result.id);
      this.waiting.delete(result.id);
      if ('matrix' in result) waiting?.resolve(result.matrix);
      else waiting?.reject(new GlmError(result.error.code, result.error.args as never));
    });
    worker.on('error', (error) => this.failAll(error));
    return worker;
  }

  private failAll(error: Error): void {
    this.broken = error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  /** Ends the threads; none of them may be reading when the files are closed. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
