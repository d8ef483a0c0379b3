/** Output rows: to standard output as they come, or to a file that appears only when it is whole. */
import fs from 'node:fs';
import path from 'node:path';
import { writeFully } from '../../checkpoint/atomic';
import { GlmError } from '../../protocol/errors';
import type { Output } from '../output';

export interface RowWriter {
  write(row: unknown): Promise<void>;
  /** Makes the file appear under its name. */
  commit(): void;
  /** Removes what was written to a file; nothing after `commit`. */
  abandon(): void;
}

/** @param file path of the output file; undefined for standard output */
export function openRowWriter(output: Output, file: string | undefined): RowWriter {
  return file === undefined ? new StreamWriter(output) : new FileWriter(path.resolve(file));
}

class StreamWriter implements RowWriter {
  constructor(private readonly output: Output) {}

  async write(row: unknown): Promise<void> {
    this.output.record(row);
    await this.output.drained();
  }

  commit(): void {}
  abandon(): void {}
}

class FileWriter implements RowWriter {
  private readonly temporary: string;
  private descriptor: number | null;

  constructor(private readonly file: string) {
    this.temporary = `${file}.tmp-${process.pid}`;
    if (fs.existsSync(file) && !fs.statSync(file).isFile())
      throw new GlmError('input.notAFile', { path: file });
    try {
      this.descriptor = fs.openSync(this.temporary, 'w');
    } catch (error) {
      throw Object.assign(error as NodeJS.ErrnoException, { path: path.dirname(file) });
    }
    process.once('exit', this.removeTemporary);
  }

  private readonly removeTemporary = (): void => fs.rmSync(this.temporary, { force: true });

  write(row: unknown): Promise<void> {
    if (this.descriptor === null) return Promise.resolve();
    try {
      writeFully(this.descriptor, Buffer.from(`${JSON.stringify(row)}\n`));
      return Promise.resolve();
    } catch (error) {
      throw Object.assign(error as NodeJS.ErrnoException, { path: this.file });
    }
  }

  commit(): void {
    if (this.descriptor === null) return;
    fs.fsyncSync(this.descriptor);
    fs.closeSync(this.descriptor);
    this.descriptor = null;
    fs.renameSync(this.temporary, this.file);
    process.off('exit', this.removeTemporary);
  }

  abandon(): void {
    if (this.descriptor === null) return;
    fs.closeSync(this.descriptor);
    this.descriptor = null;
    this.removeTemporary();
    process.off('exit', this.removeTemporary);
  }
}
