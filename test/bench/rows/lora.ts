/** LoRA on all linear layers (r 8): both sizes, both precisions, short and long rows, with and without recomputation. */
import { BATCHES, MODELS, shapeName, type BatchShape, type ModelName } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { OURS } from '../harness/compare';
import type { Comparison, Variant } from '../harness/types';
import { lossTolerance, sideVariants } from './peers';
import { prepareTraining, trainOurs, trainPeer, type TrainingJob } from './training';

const DTYPES = { bf16: 'bfloat16', f32: 'float32' } as const;
type DTypeName = keyof typeof DTYPES;

/** Fewer steps where one takes seconds. */
export const STEPS: Record<ModelName, Pick<TrainingJob, 'warmUp' | 'timed'>> = {
  small: { warmUp: 1, timed: 4 },
  medium: { warmUp: 1, timed: 2 },
};

export function loraRows(bench: Bench): Comparison[] {
  return BATCHES.flatMap((shape) =>
    [false, true].flatMap((checkpointing) =>
      (Object.keys(MODELS) as ModelName[]).flatMap((size) =>
        (Object.keys(DTYPES) as DTypeName[]).map((dtype) =>
          loraRow(bench, { size, dtype, shape, checkpointing }),
        ),
      ),
    ),
  );
}

interface LoraCase {
  size: ModelName;
  dtype: DTypeName;
  shape: BatchShape;
  checkpointing: boolean;
}

function loraRow(bench: Bench, { size, dtype, shape, checkpointing }: LoraCase): Comparison {
  const job: TrainingJob = { sizes: MODELS[size], shape, method: 'lora', checkpointing, ...STEPS[size] };
  const precision = DTYPES[dtype];
  const short = shape === BATCHES[0];
  const peft = bench.peerPrecisions(precision).map((peer): Variant => ({
    name: `PEFT ${peer}`,
    contender: 'PEFT',
    measure: () => trainPeer(bench, job, peer),
  }));
  // What is only reported is measured once a size: in the precision and at the length that goals are about.
  const others = short && dtype === 'bf16' ? sideVariants(bench, job, precision) : [];
  return {
    kind: 'comparison',
    name: `lora/${size}/${dtype}/${shapeName(shape)}${checkpointing ? '/ckpt' : ''}`,
    set: setOf({ size, dtype, shape, checkpointing }),
    title: `LoRA ${dtype}, ${size}, ${shapeName(shape)} tokens${checkpointing ? ', checkpointing' : ''}`,
    unit: 'tokens/s',
    better: 'higher',
    tolerance: lossTolerance(precision),
    goals: goalsOf({ size, dtype, shape, checkpointing }),
    variants: [
      { name: OURS, contender: OURS, measure: () => trainOurs(bench, job, precision) },
      ...peft,
      ...others,
    ],
    prepare: () => prepareTraining(bench, job),
  };
}

/** Checkpointing in float32 or over long rows has no goal of its own. */
function setOf({ size, dtype, shape, checkpointing }: LoraCase): Comparison['set'] {
  const short = shape === BATCHES[0];
  if (checkpointing && (dtype === 'f32' || !short)) return 'full';
  if (dtype === 'f32' && !short) return 'full';
  return size === 'small' && short ? 'quick' : 'default';
}

function goalsOf({ size, dtype, checkpointing }: LoraCase): Comparison['goals'] {
  const small = size === 'small';
  const aims = { 'lean module': { value: 1.1 }, 'torch.compile': { value: 1.1 } };
  if (dtype === 'f32') return checkpointing ? undefined : { ...aims, PEFT: { value: 1.1, peak: 0.9 } };
  if (checkpointing) return { PEFT: small ? { value: 2, peak: 0.9 } : { value: 1.25, peak: 0.8 } };
  return { ...aims, PEFT: small ? { value: 1.6, peak: 0.9 } : { value: 1.25, peak: 0.8 } };
}
