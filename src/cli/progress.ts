/** Progress of long work: a bar on a terminal, a few clean lines in a pipe. */
import type { Writable } from 'node:stream';
import { MultiBar, type SingleBar } from 'cli-progress';

export interface ProgressOptions {
  total: number;
  /** Name of the work, in front of the bar. */
  label: string;
  /** How a count is written; the plain number where absent. */
  format?: (value: number) => string;
}

export interface Progress {
  /** `detail` is written behind the count. */
  update(value: number, detail?: string): void;
  setTotal(total: number): void;
  /** Writes a line above the bar; false where the caller should write it itself. */
  log(line: string): boolean;
  stop(): void;
}

export class NoProgress implements Progress {
  update(): void {}
  setTotal(): void {}
  log(): boolean {
    return false;
  }
  stop(): void {}
}

export class TerminalProgress implements Progress {
  private readonly bars: MultiBar;
  private readonly bar: SingleBar;
  private active = true;

  constructor(stream: Writable, options: ProgressOptions) {
    const format = options.format ?? String;
    this.bars = new MultiBar({
      // The type asks for a ReadStream property it never uses.
      stream,
      format: ' {bar} {label} {count} {detail}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 20,
      hideCursor: true,
      clearOnComplete: false,
      stopOnComplete: false,
      // Signals are ours: a run writes a checkpoint first.
      gracefulExit: false,
      formatValue: (value, _options, type) =>
        type === 'value' || type === 'total' ? format(value) : `${value}`,
    });
    this.total = options.total;
    this.write = format;
    this.label = options.label;
    this.bar = this.bars.create(options.total, 0, this.payload(0, ''));
  }

  private total: number;
  private readonly write: (value: number) => string;
  private readonly label: string;

  update(value: number, detail = ''): void {
    if (this.active) this.bar.update(value, this.payload(value, detail));
  }

  setTotal(total: number): void {
    this.total = total;
    if (this.active) this.bar.setTotal(total);
  }

  log(line: string): boolean {
    if (!this.active) return false;
    this.bars.log(`${line}\n`);
    this.bars.update();
    return true;
  }

  stop(): void {
    if (!this.active) return;
    this.active = false;
    this.bars.stop();
  }

  private payload(value: number, detail: string): { label: string; count: string; detail: string } {
    return { label: this.label, count: `${this.write(value)}/${this.write(this.total)}`, detail };
  }
}

/** Milliseconds after which a pipe gets a line even if little has happened. */
const LINE_EVERY_MS = 10_000;
/** A pipe gets about this many lines. */
const LINES = 20;

export class LineProgress implements Progress {
  private lastTime = 0;
  private lastPart = -1;
  private total: number;

  constructor(
    private readonly writeLine: (line: string) => void,
    private readonly options: ProgressOptions,
    private readonly now: () => number = Date.now,
  ) {
    this.total = options.total;
    this.lastTime = now();
  }

  update(value: number, detail = ''): void {
    const part = Math.floor((value / Math.max(1, this.total)) * LINES);
    const time = this.now();
    if (part === this.lastPart && time - this.lastTime < LINE_EVERY_MS) return;
    this.lastPart = part;
    this.lastTime = time;
    const format = this.options.format ?? String;
    this.writeLine(`${this.options.label} ${format(value)}/${format(this.total)} ${detail}`.trimEnd());
  }

  setTotal(total: number): void {
    this.total = total;
  }

  log(): boolean {
    return false;
  }

  stop(): void {}
}
