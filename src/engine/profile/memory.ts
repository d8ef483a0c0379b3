/** Memory of a traced step, next to what was planned. */
import type { MemoryPlan } from '../../protocol/events';
import type { Variable } from '../backend/graphBuilder';
import type { TracedRun } from '../backend/tracing';
import { peakMemory } from '../memory';
import type { Trainables } from '../train/trainables';
import { placeOf } from './place';
import { liveAt, livePeak } from './timeline';
import type { ProfileMemory } from './types';
import { valueBytes } from './work';

/** `variables`: everything that stays in the library's memory between the runs. */
export function measureMemory(
  runs: readonly TracedRun[],
  variables: readonly Variable[],
  { groups }: Trainables,
  plan: MemoryPlan,
): ProfileMemory {
  const gradients = sizes(groups.map(({ gradient }) => gradient));
  const optimizer = sizes(groups.flatMap(({ state }) => state));
  const largest = runs
    .map(({ trace }) => ({ trace: trace ?? [], live: livePeak(trace ?? []) }))
    .reduce((most, each) => (each.live.peak > most.live.peak ? each : most));
  // Other nodes of either pass may run early or late, as their inputs allow.
  const backward = largest.trace
    .filter(({ node }) => node.includes('MatMul') && placeOf(node).direction !== 'forward')
    .reduce((first, { start }) => Math.min(first, start), Infinity);
  return {
    plan,
    weights: sizes(variables) - gradients - optimizer,
    gradients,
    optimizer,
    kept: liveAt(largest.trace, backward),
    peak: largest.live.peak,
    peakBlocks: byBlock(largest.live.byNode),
    process: peakMemory(),
  };
}

function sizes(variables: readonly Variable[]): number {
  return variables.reduce((sum, variable) => sum + valueBytes(variable), 0);
}

function byBlock(byNode: ReadonlyMap<string, number>): { block: string; bytes: number }[] {
  const sums = new Map<string, number>();
  for (const [node, bytes] of byNode) {
    const { block } = placeOf(node);
    sums.set(block, (sums.get(block) ?? 0) + bytes);
  }
  return [...sums].map(([block, bytes]) => ({ block, bytes })).sort((a, b) => b.bytes - a.bytes);
}
