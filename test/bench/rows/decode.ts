/** Greedy decoding with the cache: prompt 256, 128 new tokens, one row and eight. */
import { MODELS, type ModelName } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { OURS } from '../harness/compare';
import type { Comparison, Measurement, Variant } from '../harness/types';
import { generateOurs, generatePeer, prepareGeneration, type GenerationJob } from './generation';

const DTYPES = { f32: 'float32', bf16: 'bfloat16' } as const;
type DTypeName = keyof typeof DTYPES;

export function decodeRows(bench: Bench): Comparison[] {
  return (Object.keys(MODELS) as ModelName[]).flatMap((size) =>
    (Object.keys(DTYPES) as DTypeName[]).flatMap((dtype) =>
      [1, 8].map((rows) => decodeRow(bench, size, dtype, rows)),
    ),
  );
}

function decodeRow(bench: Bench, size: ModelName, dtype: DTypeName, rows: number): Comparison {
  const job: GenerationJob = {
    sizes: MODELS[size],
    dtype: DTYPES[dtype],
    rows,
    promptTokens: 256,
    newTokens: 128,
    warmUpTokens: 8,
  };
  const precisions = bench.peerPrecisions(job.dtype).filter((precision) => precision !== 'autocast');
  const peers = precisions.map((precision): Variant => ({
    name: `transformers ${precision}`,
    contender: 'transformers',
    measure: () => generatePeer(bench, job, precision),
  }));
  return {
    kind: 'comparison',
    name: `decode/${size}/${dtype}/${rows}`,
    set: setOf(size, dtype, rows),
    title: `decoding ${dtype}, ${size}, batch ${rows}`,
    unit: 'tokens/s',
    better: 'higher',
    tolerance: null,
    goals: rows === 1 ? { transformers: { value: 1.3, peak: 0.9 } } : undefined,
    variants: [{ name: OURS, contender: OURS, measure: () => generateOurs(bench, job) }, ...peers],
    prepare: () => prepareGeneration(bench, job),
    ...(dtype === 'f32' ? { faults: differentTokens } : { remarks: differentTokens }),
  };
}

/** Goals are about one row; eight of them are in the default set once. */
function setOf(size: ModelName, dtype: DTypeName, rows: number): Comparison['set'] {
  if (rows === 1) return size === 'small' ? 'quick' : 'default';
  return size === 'small' && dtype === 'bf16' ? 'default' : 'full';
}

/**
 * In float32 both sides must choose the same tokens. In bfloat16 they may part where two tokens are nearly equally likely; how many
 * are the same is said.
 */
function differentTokens(measured: ReadonlyMap<string, Measurement>): string[] {
  const others = [...measured].filter(([name]) => name !== OURS);
  return others.flatMap(([name, { tokens = [] }]) => {
    const mine = measured.get(OURS)?.tokens ?? [];
    const pairs = mine.flatMap((row, r) => row.map((id, i) => id === tokens[r]?.[i]));
    const same = pairs.filter(Boolean).length;
    return same === pairs.length ? [] : [`${same} of ${pairs.length} tokens are those of ${name}`];
  });
}
