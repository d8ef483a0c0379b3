/** Everything the command line writes: results to standard output, the rest to standard error. */
import type { Writable } from 'node:stream';
import type { ErrorText } from '../text/errors';
import { LineProgress, NoProgress, TerminalProgress, type Progress, type ProgressOptions } from './progress';

/** A stream as the command line uses it. */
export type OutputStream = Writable & { isTTY?: boolean; columns?: number };

export interface OutputOptions {
  stdout: OutputStream;
  stderr: OutputStream;
  /** Results are JSON: no progress, no remarks; only warnings and errors go to standard error. */
  json: boolean;
  /** Colour and bars on standard error. */
  terminal: boolean;
  /** Colour on standard output. */
  colouredResults?: boolean;
}

const RED = '\u001b[31m';
const YELLOW = '\u001b[33m';
const GREEN = '\u001b[32m';
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';
export type Colour = 'red' | 'yellow' | 'green' | 'dim';
const CODES: Record<Colour, string> = { red: RED, yellow: YELLOW, green: GREEN, dim: DIM };

export class Output {
  private progressShown: Progress | null = null;
  private gone = false;

  constructor(private readonly options: OutputOptions) {
    // A closed pipe (`| head`) or a terminal that went away must not end the work by itself.
    options.stdout.on('error', () => (this.gone = true));
    options.stderr.on('error', () => undefined);
  }

  get json(): boolean {
    return this.options.json;
  }

  /** Whether standard output cannot be written any more. */
  get closed(): boolean {
    return this.gone;
  }

  /** Whether standard error is a terminal that can be drawn on. */
  get terminal(): boolean {
    return this.options.terminal;
  }

  /** Columns of the terminal; 80 where that is not known. */
  get columns(): number {
    return this.options.stderr.columns ?? 80;
  }

  /** A line of the result. */
  result(line: string): void {
    this.raw(`${line}\n`);
  }

  /** Part of a line of the result. */
  raw(text: string): void {
    if (!this.gone) this.options.stdout.write(text);
  }

  /** One JSON object on a line of standard output. */
  record(value: unknown): void {
    this.result(JSON.stringify(value));
  }

  /** Waits until the reader of standard output has caught up. */
  async drained(): Promise<void> {
    if (this.gone || !this.options.stdout.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      this.options.stdout.once('drain', resolve);
      this.options.stdout.once('close', resolve);
    });
  }

  /** A remark while working; not shown with --json. */
  info(text: string): void {
    if (!this.json) this.remark(text);
  }

  warning(label: string, text: string): void {
    this.remark(`${this.colour(label, 'yellow')} ${text}`);
  }

  /** What went wrong, where, and what to do about it. */
  error(label: string, { message, remedy }: ErrorText): void {
    this.remark(`${this.colour(label, 'red')} ${message}`);
    if (remedy) this.remark(remedy);
  }

  /** `text` of a result in a colour, where standard output is a terminal. */
  paint(text: string, colour: Colour): string {
    return this.options.colouredResults ? `${CODES[colour]}${text}${PLAIN}` : text;
  }

  /** A bar on a terminal, now and then a line in a pipe, nothing with --json. */
  progress(options: ProgressOptions): Progress {
    this.progressShown?.stop();
    const shown = this.json
      ? new NoProgress()
      : this.terminal
        ? new TerminalProgress(this.options.stderr, options)
        : new LineProgress((line) => this.options.stderr.write(`${line}\n`), options);
    this.progressShown = shown;
    return shown;
  }

  /** Ends the bar and writes out what is buffered. */
  async flush(): Promise<void> {
    this.progressShown?.stop();
    await Promise.all([flushStream(this.options.stdout), flushStream(this.options.stderr)]);
  }

  private colour(text: string, colour: Colour): string {
    return this.options.terminal ? `${CODES[colour]}${text}${PLAIN}` : text;
  }

  private remark(text: string): void {
    if (!this.progressShown?.log(text)) this.options.stderr.write(`${text}\n`);
  }
}

function flushStream(stream: OutputStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
