/** The download as a process of the command line: its events, and what came of it. */
import { spawn } from 'node:child_process';
import type { Runtimes } from '../../host/runtimes';
import { LineBuffer } from '../../host/process/lines';
import type { DownloadEvent, DownloadResult } from '../../protocol/download';
import type { ErrorData } from '../../protocol/errors';
import type { ErrorText } from '../../text/errors';

export interface DownloadRequest {
  /** `huggingface`, `modelscope`, or an address. */
  source: string;
  repository: string;
  directory: string;
  /** Goes to the process through its standard input: command lines can be read by others. */
  token: string | null;
  /** Further environment: proxy, mirror. */
  environment: Record<string, string>;
}

export type DownloadFailure = ErrorData & ErrorText;

/** What the model doctor says of the files, as far as it is shown. */
export interface ModelVerdict {
  /** Absent for models. */
  type?: 'adapter';
  ok: boolean;
  findings?: { severity: string; message: string }[];
  /** Of an adapter that cannot be used. */
  message?: string;
}

export interface DownloadOutcome {
  result: DownloadResult | null;
  verdict: ModelVerdict | null;
  failure: DownloadFailure | null;
  cancelled: boolean;
}

/** Time that an interrupted process has to put its files in order; milliseconds. */
const GRACE = 5_000;
/** Kept of standard error, for a process that dies without a word. */
const MOST_ERROR_CHARACTERS = 4_000;

/**
 * Runs a download to its end.
 * @returns what came of it; throws where the process cannot be started or ends without saying why
 */
export async function runDownload(
  runtimes: Pick<Runtimes, 'cli'>,
  request: DownloadRequest,
  signal: AbortSignal,
  onEvent: (event: DownloadEvent) => void,
): Promise<DownloadOutcome> {
  const { source, repository, directory, token } = request;
  const tokenArguments = token === null ? [] : ['--token-file', '-'];
  const { command, args, env } = await runtimes.cli([
    ...['download', repository, '--json', '--source', source, '--to', directory],
    ...tokenArguments,
  ]);
  const outcome: DownloadOutcome = { result: null, verdict: null, failure: null, cancelled: false };
  const child = spawn(command, args, { env: { ...env, ...request.environment }, windowsHide: true });
  child.stdin.on('error', () => undefined);
  child.stdin.end(token ?? '');
  const lines = new LineBuffer();
  child.stdout.on('data', (chunk: Buffer) => {
    for (const line of lines.push(chunk)) take(line, outcome, onEvent);
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-MOST_ERROR_CHARACTERS);
  });
  let deadline: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    child.kill('SIGINT');
    deadline = setTimeout(() => child.kill('SIGKILL'), GRACE);
  };
  if (signal.aborted) interrupt();
  else signal.addEventListener('abort', interrupt, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', interrupt);
  }
  outcome.cancelled = signal.aborted && outcome.result === null;
  if (!outcome.result && !outcome.failure && !outcome.cancelled) throw new Error(complaint.trim() || command);
  return outcome;
}

/** A line of `download --json`: an event, the result, what the doctor says, or an error. */
function take(line: string, outcome: DownloadOutcome, onEvent: (event: DownloadEvent) => void): void {
  type Line = DownloadEvent | DownloadResult | ModelVerdict | { error: DownloadFailure };
  let value: Line;
  try {
    value = JSON.parse(line) as Line;
  } catch {
    // Cut off when the process was killed.
    return;
  }
  if ('error' in value) outcome.failure = value.error;
  else if ('ok' in value) outcome.verdict = value;
  else if (value.type === 'downloaded') outcome.result = value;
  else onEvent(value);
}
