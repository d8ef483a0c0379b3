/** `events.jsonl`: appended line by line, made durable where losing a line would mislead. */
import { closeSync, fstatSync, fsyncSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { writeFully } from '../../checkpoint/atomic';
import type { RunEvent } from '../../protocol/events';
import { EVENTS_FILE } from '../../protocol/runDirectory';

const NEWLINE = 0x0a;
/** Steps are many and a lost one is computed again; these are not. */
const DURABLE: ReadonlySet<RunEvent['type']> = new Set([
  'started',
  'resumed',
  'checkpoint',
  'stopped',
  'failed',
  'done',
]);

export class EventLog {
  private readonly file: string;
  private descriptor: number | null;

  /** Opens the log for appending. A line torn by a crash is closed, so that the next event stands on its own. */
  constructor(directory: string) {
    this.file = path.join(directory, EVENTS_FILE);
    this.descriptor = openSync(this.file, 'a+');
    if (endsTorn(this.descriptor)) this.write('\n');
  }

  /** Writes one event. A number that is not finite becomes null, as JSON has no other word for it. */
  append(event: RunEvent): void {
    this.write(`${JSON.stringify(event)}\n`);
    if (this.descriptor !== null && DURABLE.has(event.type)) fsyncSync(this.descriptor);
  }

  close(): void {
    if (this.descriptor !== null) closeSync(this.descriptor);
    this.descriptor = null;
  }

  private write(text: string): void {
    if (this.descriptor === null) return;
    try {
      writeFully(this.descriptor, Buffer.from(text));
    } catch (error) {
      // A write error carries no path, and the user needs to know which disk is full.
      throw Object.assign(error as NodeJS.ErrnoException, { path: this.file });
    }
  }
}

function endsTorn(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}
