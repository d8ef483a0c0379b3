/** Memory of this process and of the machine, in bytes. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { backend } from './backend/backend';

/** Most that the process has had resident. */
export function peakMemory(): number {
  try {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (peak) return Number(peak[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** Megabytes that the process may take, where its user wants it to leave room for others. */
const LIMIT = 'GLMTUNE_MEMORY_LIMIT_MB';

/** What can still be allocated: free memory of the machine, or what the engine, the container or the user leaves. */
export function freeMemory(): number {
  // 0 or a huge number where the process is in no container.
  const container = process.constrainedMemory() || Infinity;
  const user = Number(process.env[LIMIT]) * 1e6 || Infinity;
  const heap = backend().memory();
  const own = heap ? heap.limit - heap.used : Infinity;
  return Math.min(own, os.freemem(), Math.min(container, user) - process.memoryUsage.rss());
}
