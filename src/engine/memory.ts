/** Memory of this process and of the machine, in bytes. */
import { readFileSync } from 'node:fs';
import os from 'node:os';

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

/** What can still be allocated: free memory of the machine, or what its container has left. */
export function freeMemory(): number {
  // 0 or a huge number where the process is in no container.
  const limit = process.constrainedMemory();
  const left = limit > 0 ? limit - process.memoryUsage.rss() : Infinity;
  return Math.min(os.freemem(), left);
}
