/** Times and memory of a traced run. */
import type { NodeRun } from '../backend/stepStats';

/** Ends of functions and of the graph: bookkeeping, not work. */
const BOUNDARIES = new Set(['NoOp', '_Arg', '_Retval']);

/** The nodes that did the work: on a GPU what ran on its streams, not the launches. */
export function workingRuns(trace: readonly NodeRun[]): NodeRun[] {
  const streams = trace.filter(({ device }) => device.endsWith('/stream:all'));
  // Names of kernels carry the operation behind a colon.
  if (streams.length > 0) return streams.map((run) => ({ ...run, node: run.node.replace(/:.*/, '') }));
  return trace.filter(({ op }) => !BOUNDARIES.has(op));
}

/**
 * The time of each run, in microseconds: where several nodes run at once, each gets its share, so that all of them add up to the
 * time in which anything ran.
 */
export function sharedTimes(runs: readonly NodeRun[]): number[] {
  const times = new Array<number>(runs.length).fill(0);
  const events = runs
    .flatMap(({ start, end }, index) => [
      { at: start, index, begins: true },
      { at: Math.max(start, end), index, begins: false },
    ])
    .sort((a, b) => a.at - b.at || Number(b.begins) - Number(a.begins));
  const active = new Set<number>();
  let before = 0;
  for (const { at, index, begins } of events) {
    for (const running of active) times[running] += (at - before) / active.size;
    before = at;
    if (begins) active.add(index);
    else active.delete(index);
  }
  return times;
}

export interface LiveMemory {
  /** Most bytes at one time. */
  peak: number;
  /** Bytes of each node at that time; nodes without any are left out. */
  byNode: Map<string, number>;
}

interface MemoryEvent {
  at: number;
  bytes: number;
  node: string;
}

function memoryEvents(trace: readonly NodeRun[]): MemoryEvent[] {
  return trace
    .flatMap(({ node, allocations }) => allocations.map(({ at, bytes }) => ({ at, bytes, node })))
    .sort((a, b) => a.at - b.at || b.bytes - a.bytes);
}

/** The moment at which most was allocated by the nodes of a run, and by whom. */
export function livePeak(trace: readonly NodeRun[]): LiveMemory {
  const events = memoryEvents(trace);
  let live = 0;
  let peak = 0;
  let peakIndex = -1;
  events.forEach(({ bytes }, i) => {
    live += bytes;
    if (live > peak) [peak, peakIndex] = [live, i];
  });
  return { peak, byNode: bytesByNode(events.slice(0, peakIndex + 1)) };
}

/** Bytes that nodes have allocated and not given back at a time (microseconds). */
export function liveAt(trace: readonly NodeRun[], time: number): number {
  return memoryEvents(trace).reduce((sum, { at, bytes }) => (at <= time ? sum + bytes : sum), 0);
}

function bytesByNode(events: readonly MemoryEvent[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { node, bytes } of events) sums.set(node, (sums.get(node) ?? 0) + bytes);
  return new Map([...sums].filter(([, bytes]) => bytes > 0));
}
