/** Adds up what the nodes of a step took and what they had to do, by block and by operation. */
import type { NodeDef } from '../backend/functionDef';
import type { NodeRun } from '../backend/stepStats';
import type { TracedRun } from '../backend/tracing';
import { placeOf } from './place';
import { sharedTimes, workingRuns } from './timeline';
import type { DevicePeaks, ProfileBlock, ProfileCell, ProfileOperation } from './types';
import type { ComputeDType } from '../types';
import { isProduct, workOf, type Work } from './work';

export interface Breakdown {
  blocks: ProfileBlock[];
  operations: ProfileOperation[];
  /** Milliseconds in which some node ran. */
  busy: number;
  /** Floating-point operations of matrix products, and the milliseconds that they alone take at least. */
  flops: number;
  productFloor: number;
}

/** Milliseconds that the work takes at least: whichever of computing and moving takes longer. */
export function floorOf(work: Work, peaks: DevicePeaks): number {
  return Math.max(productFloorOf(work, peaks), (1000 * work.bytes) / peaks.bandwidth);
}

function productFloorOf({ flops, dtype }: Work, peaks: DevicePeaks): number {
  const peak = peaks.flops[dtype as ComputeDType] ?? peaks.flops.float32;
  return peak ? (1000 * flops) / peak : 0;
}

/** Takes the runs of one step apart. */
export function breakDown(runs: readonly TracedRun[], peaks: DevicePeaks): Breakdown {
  const blocks = new Map<string, ProfileBlock>();
  const operations = new Map<string, ProfileOperation>();
  let busy = 0;
  let [flops, productFloor] = [0, 0];
  for (const { nodes, trace } of runs) {
    const working = workingRuns(trace ?? []);
    const times = sharedTimes(working);
    const works = workOfRuns(nodes, working);
    working.forEach((run, i) => {
      const { block, layer, direction } = placeOf(run.node);
      const operation = operationName(run);
      const { flops: products, bytes } = works[i];
      const cell = { milliseconds: times[i] / 1000, flops: products, bytes, floor: floorOf(works[i], peaks) };
      add(blocks, `${block} ${layer} ${direction}`, { block, layer, direction }, cell);
      add(operations, `${operation} ${direction}`, { operation, direction }, cell);
      busy += cell.milliseconds;
      flops += products;
      productFloor += productFloorOf(works[i], peaks);
    });
  }
  const slowestFirst = (a: ProfileCell, b: ProfileCell): number => b.milliseconds - a.milliseconds;
  return {
    blocks: [...blocks.values()],
    operations: [...operations.values()].sort(slowestFirst),
    busy,
    flops,
    productFloor,
  };
}

function add<Row extends ProfileCell>(
  rows: Map<string, Row>,
  key: string,
  labels: Omit<Row, keyof ProfileCell>,
  cell: Omit<ProfileCell, 'count'>,
): void {
  const row =
    rows.get(key) ?? ({ ...labels, count: 0, milliseconds: 0, flops: 0, bytes: 0, floor: 0 } as Row);
  row.count++;
  row.milliseconds += cell.milliseconds;
  row.flops += cell.flops;
  row.bytes += cell.bytes;
  row.floor += cell.floor;
  rows.set(key, row);
}

/** A fused function is called what it was written as, `fused(rmsNorm)`; other nodes what ran. */
function operationName({ node, op }: NodeRun): string {
  const name = node.slice(node.lastIndexOf('/') + 1).replace(/_\d+$/, '');
  if (op === 'PartitionedCall') return `fused(${name})`;
  return op === '' ? name : op.replace(/^_Mkl(Native)?/, '');
}

/**
 * The work of each run. The library may put one operation in place of a chain of nodes and give it the name of the last: what a
 * missing matrix product had to do is counted with the node that took its result.
 */
export function workOfRuns(nodes: readonly NodeDef[], runs: readonly NodeRun[]): Work[] {
  const works = new Map(nodes.map((node) => [node.name, workOf(node)]));
  const ran = new Set(runs.map(({ node }) => node));
  for (const node of nodes) {
    if (!isProduct(node.op) || ran.has(node.name)) continue;
    const reader = nodes.find(
      ({ name, inputs }) => ran.has(name) && inputs.some((input) => input.startsWith(`${node.name}:`)),
    );
    const { flops, dtype } = works.get(node.name)!;
    if (reader) Object.assign(works.get(reader.name)!, { flops, dtype });
  }
  // Several kernels of a GPU may belong to one node.
  const counts = new Map<string, number>();
  for (const { node } of runs) counts.set(node, (counts.get(node) ?? 0) + 1);
  return runs.map(({ node }) => {
    const work = works.get(node) ?? { flops: 0, dtype: 'float32', bytes: 0 };
    const share = counts.get(node)!;
    return { ...work, flops: work.flops / share, bytes: work.bytes / share };
  });
}
