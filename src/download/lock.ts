/** One download into a directory at a time, across processes: the command line and the extension share them. */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { processExists } from '../process/processExists';
import { GlmError } from '../protocol/errors';
import type { Purpose } from './network';

/** The holder touches its lock this often; milliseconds. */
const HEARTBEAT = 5_000;
/** A lock that was not touched for this long is abandoned, whoever holds it; milliseconds. */
const ABANDONED = 60_000;
const POLL = 300;

interface LockContent {
  token: string;
  pid: number;
  host: string;
}

/**
 * Waits for the lock and takes it. A lock whose process is gone, or that nobody touches any more, is taken over.
 * @param onWait called once when somebody else holds it
 * @returns releases the lock; throws GlmError `*.cancelled`
 */
export async function takeLock(
  purpose: Purpose,
  file: string,
  signal: AbortSignal,
  onWait: () => void,
): Promise<() => void> {
  const content: LockContent = { token: randomUUID(), pid: process.pid, host: hostname() };
  for (let round = 0; ; round++) {
    if (signal.aborted) throw new GlmError(`${purpose}.cancelled`, {});
    if (tryCreate(file, content)) return hold(file, content.token);
    removeAbandoned(file);
    if (round === 1) onWait();
    if (round > 0) await sleep(POLL, undefined, { signal }).catch(() => undefined);
  }
}

function tryCreate(file: string, content: LockContent): boolean {
  try {
    fs.writeFileSync(file, JSON.stringify(content), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function hold(file: string, token: string): () => void {
  const timer = setInterval(() => {
    const now = new Date();
    try {
      fs.utimesSync(file, now, now);
    } catch {
      // Gone: somebody removed it by hand. Nothing better to do than to finish.
    }
  }, HEARTBEAT);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (readLock(file)?.token === token) fs.rmSync(file, { force: true });
  };
}

function removeAbandoned(file: string): void {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return;
  const holder = readLock(file);
  const untouched = Date.now() - stat.mtimeMs;
  const gone = holder !== null && holder.host === hostname() && !processExists(holder.pid);
  // A lock without readable content may be in the middle of being written: give it the full time.
  if (!gone && untouched < ABANDONED) return;
  // Renaming first: of two processes that both judged the old lock, only one gets it, and a new one is seen and put back.
  const aside = `${file}.${randomUUID()}`;
  try {
    fs.renameSync(file, aside);
    if (readLock(aside)?.token !== holder?.token) fs.linkSync(aside, file);
  } catch {
    // Another process was quicker.
  }
  fs.rmSync(aside, { force: true });
}

function readLock(file: string): LockContent | null {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as LockContent;
  } catch {
    return null;
  }
}
