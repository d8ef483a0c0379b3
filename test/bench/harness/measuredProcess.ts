/** Runs a process and watches it: lines with their times, and the most memory that it and its children took. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { GpuMemoryWatch, ON_GPU } from './gpu';

const POLL_MILLISECONDS = 50;
const KEPT_ERROR_LINES = 12;

export interface Line {
  /** Seconds since the process was started. */
  at: number;
  text: string;
}

export interface ProcessOutcome {
  lines: Line[];
  /** Sum over the process and its children of the most bytes that each had resident. */
  peak: number;
}

export interface ProcessOptions {
  env?: NodeJS.ProcessEnv;
  /** Seconds after which the process is ended and the measurement fails. */
  limit?: number;
  /** Called with every line, what it throws ends the process; `send` writes a line to the process's standard input. */
  onLine?: (line: Line, send: (text: string) => void) => void;
  /** Written to standard input at the start. */
  input?: string;
}

/** Throws where the process fails or takes too long. */
export async function runMeasured(
  command: string,
  args: readonly string[],
  { env = process.env, limit = 1200, onLine, input }: ProcessOptions = {},
): Promise<ProcessOutcome> {
  const began = performance.now();
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // the exit code tells why it went away
  const send = (text: string): void => void child.stdin.write(`${text}\n`);
  if (input !== undefined) send(input);
  const memory = ON_GPU ? await GpuMemoryWatch.start() : new MemoryWatch(child.pid!);
  const poll = setInterval(() => memory.look(), POLL_MILLISECONDS);
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    child.kill('SIGKILL');
  }, limit * 1000);
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (text) => {
    errors.push(text);
    if (errors.length > KEPT_ERROR_LINES) errors.shift();
  });
  const lines: Line[] = [];
  let failure: unknown = null;
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = { at: (performance.now() - began) / 1000, text };
    lines.push(line);
    try {
      onLine?.(line, send);
    } catch (error) {
      failure ??= error;
      child.kill();
    }
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (failure !== null) throw failure as Error;
    if (overdue) throw new Error(`took longer than ${Math.round(limit)} s`);
    if (code !== 0) {
      const output = [...lines.slice(-3).map(({ text }) => text.slice(0, 500)), ...errors].join('\n');
      throw new Error(`${command} ended with exit code ${code}\n${output}`);
    }
    return { lines, peak: memory.peak };
  } finally {
    clearInterval(poll);
    clearTimeout(timer);
    if (memory instanceof GpuMemoryWatch) memory.stop();
  }
}

/** The kernel keeps every process's maximum itself, so what is read late is not lost while the process lives. */
class MemoryWatch {
  private readonly seen = new Map<number, { peak: number; looks: number }>();

  constructor(private readonly root: number) {}

  look(): void {
    for (const pid of withChildren(this.root)) {
      const peak = highWaterMark(pid);
      if (peak > 0) this.seen.set(pid, { peak, looks: (this.seen.get(pid)?.looks ?? 0) + 1 });
    }
  }

  /** A child between fork and exec shows its parent's memory, so one that was seen only once does not count. */
  get peak(): number {
    const counted = [...this.seen].filter(([pid, { looks }]) => pid === this.root || looks > 1);
    return counted.reduce((sum, [, { peak }]) => sum + peak, 0);
  }
}

function withChildren(pid: number): number[] {
  const children = (read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(withChildren)];
}

function highWaterMark(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '');
  return match ? Number(match[1]) * 1024 : 0;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // it has ended
  }
}
