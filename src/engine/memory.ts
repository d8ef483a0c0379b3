/** Memory of this process and of the machine, in bytes. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { backend } from './backend/backend';
import { gpuMemory } from './backend/context';

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

/** What a run may take in all: the memory of the GPU where there is one, else what is free and what the process has already. */
export function availableMemory(): number {
  const gpu = backend().kind === 'libtensorflow' ? gpuMemory() : null;
  return gpu ?? freeMemory() + process.memoryUsage.rss();
}
