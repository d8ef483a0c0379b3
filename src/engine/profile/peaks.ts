/** What the device can do at best, measured with the library itself. */
import type { GraphBuilder } from '../backend/graphBuilder';
import type { NodeRun } from '../backend/stepStats';
import type { Tracing } from '../backend/tracing';
import type { Session } from '../backend/session';
import type { ComputeDType } from '../types';
import { workingRuns } from './timeline';
import type { DevicePeaks } from './types';

/** Widths of square products: larger ones are tried until one takes long enough. */
const WIDTHS = [1024, 2048, 4096, 8192];
const LONG_ENOUGH_US = 30_000;
/** Elements of the float32 variables that are added: several times the largest caches. */
const ELEMENTS = 64 * 2 ** 20;
const REPEATS = 3;

/** Takes about a second. */
export async function measurePeaks(tracing: Tracing, dtype: ComputeDType): Promise<DevicePeaks> {
  const session = tracing.openSession();
  try {
    const flops: DevicePeaks['flops'] = {};
    for (const each of new Set<ComputeDType>(['float32', dtype]))
      flops[each] = await productPeak(tracing, session, each);
    return { flops, bandwidth: await bandwidth(tracing, session) };
  } finally {
    await session.close();
  }
}

async function productPeak(tracing: Tracing, session: Session, dtype: ComputeDType): Promise<number> {
  let best = 0;
  for (const width of WIDTHS) {
    const program = session.compile((graph) => {
      const seed = graph.placeholder([2], 'int32');
      const matrix = graph.cast(graph.randomUniform([width, width], seed), dtype);
      const product = graph.matMul(matrix, matrix, { transposeB: true });
      return { inputs: [seed], outputs: [firstElement(graph, product)], effects: [] };
    });
    const least = await leastTime(
      tracing,
      () => program.run([Int32Array.of(1, 2)]),
      ({ node }) => node.includes('MatMul'),
    );
    best = Math.max(best, (2 * width ** 3) / (least / 1e6));
    if (least > LONG_ENOUGH_US) break;
  }
  return best;
}

/** Keeps a result from being dropped as unused. */
function firstElement(graph: GraphBuilder, value: ReturnType<GraphBuilder['matMul']>) {
  return graph.cast(graph.slice(value, [0, 0], [1, 1]), 'float32');
}

/** a += b in place: three bytes move for each byte of a variable, and nothing is allocated. */
async function bandwidth(tracing: Tracing, session: Session): Promise<number> {
  const variable = (name: string) => ({ name, shape: [ELEMENTS], dtype: 'float32' }) as const;
  const [a, b] = [variable('a'), variable('b')];
  await session.runOnce((graph) => ({
    inputs: [],
    outputs: [],
    // Different values: equal ones would share their memory.
    effects: [a, b].map((each, i) => graph.assign(each, graph.fill([ELEMENTS], i + 1, 'float32'))),
  }));
  const program = session.compile((graph) => ({
    inputs: [],
    outputs: [],
    effects: [graph.assignAdd(a, graph.read(b))],
  }));
  const least = await leastTime(
    tracing,
    () => program.run([]),
    ({ node }) => node.startsWith('AssignAdd'),
  );
  return (3 * 4 * ELEMENTS) / (least / 1e6);
}

/** Microseconds of the fastest of a few runs of a node. */
async function leastTime(
  tracing: Tracing,
  run: () => Promise<unknown>,
  isNode: (run: NodeRun) => boolean,
): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < REPEATS; i++) {
    const [{ trace }] = await tracing.watch('nodes', run);
    const time = workingRuns(trace ?? [])
      .filter(isNode)
      .reduce((sum, { start, end }) => sum + end - start, 0);
    if (time > 0) least = Math.min(least, time);
  }
  return least;
}
