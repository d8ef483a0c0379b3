/** Follows a growing text file. */
import { watch, type FSWatcher } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { Disposable, toDisposable } from '../lifecycle';
import { LineBuffer } from './lines';

const CHUNK_BYTES = 256 * 1024;

export interface TailBatch {
  lines: string[];
  /** The file was replaced or cut: what came before these lines no longer holds. */
  restarted: boolean;
}

export interface TailOptions {
  /** Milliseconds between looks at the file where the system reports no change (network file systems). */
  pollMs?: number;
}

/**
 * Calls `onBatch` with the whole lines of a file, from its beginning, and with every line added later.
 * The file need not exist yet. Reads never overlap.
 */
export class FileTail extends Disposable {
  private readonly buffer = new LineBuffer();
  private offset = 0;
  private inode = 0;
  private watcher: FSWatcher | null = null;
  private reading: Promise<void> | null = null;
  private again = false;

  constructor(
    private readonly file: string,
    private readonly onBatch: (batch: TailBatch) => void,
    options: TailOptions = {},
  ) {
    super();
    const timer = setInterval(() => {
      this.attachWatcher();
      void this.refresh();
    }, options.pollMs ?? 1000);
    timer.unref();
    this._register(toDisposable(() => clearInterval(timer)));
    this._register(toDisposable(() => this.watcher?.close()));
    this.attachWatcher();
    void this.refresh();
  }

  /** Reads what is new; resolves when everything written before the call has been delivered. */
  async refresh(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return this.reading;
    }
    this.reading = this.readUntilQuiet();
    return this.reading;
  }

  private async readUntilQuiet(): Promise<void> {
    try {
      do {
        this.again = false;
        await this.readNew();
      } while (this.again && !this.isDisposed);
    } finally {
      // In the same turn as the last look at `again`: no call can fall in between and be forgotten.
      this.reading = null;
    }
  }

  private async readNew(): Promise<void> {
    const handle = await open(this.file, 'r').catch(() => null);
    if (!handle) return;
    try {
      const { size, ino } = await handle.stat();
      const restarted = size < this.offset || (this.inode !== 0 && ino !== this.inode);
      if (restarted) this.rewind();
      this.inode = ino;
      await this.deliver(handle, size, restarted);
    } catch {
      // The file vanished or the disk failed while reading: the next look tries again.
    } finally {
      await handle.close();
    }
  }

  private async deliver(
    handle: Awaited<ReturnType<typeof open>>,
    size: number,
    restarted: boolean,
  ): Promise<void> {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, size - this.offset)));
    let first = restarted;
    if (restarted && size === 0) this.onBatch({ lines: [], restarted: true });
    while (this.offset < size && !this.isDisposed) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, this.offset);
      if (bytesRead === 0) return;
      this.offset += bytesRead;
      const lines = this.buffer.push(chunk.subarray(0, bytesRead));
      if ((lines.length > 0 || first) && !this.isDisposed) this.onBatch({ lines, restarted: first });
      first = false;
    }
  }

  private rewind(): void {
    this.offset = 0;
    this.buffer.reset();
  }

  /** Watches the directory, because the file may not exist yet and may be replaced. */
  private attachWatcher(): void {
    if (this.watcher || this.isDisposed) return;
    try {
      const name = path.basename(this.file);
      this.watcher = watch(path.dirname(this.file), (_event, changed) => {
        if (changed === null || changed === name) void this.refresh();
      });
      this.watcher.on('error', () => this.dropWatcher());
      this.watcher.unref();
    } catch {
      this.watcher = null; // No directory yet, or no watches left: polling goes on.
    }
  }

  private dropWatcher(): void {
    this.watcher?.close();
    this.watcher = null;
  }
}
