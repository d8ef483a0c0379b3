/** P-Tuning v2 with 128 virtual tokens, without projection: PEFT's prefix tuning. */
import { BATCHES, MODELS, shapeName, type BatchShape, type ModelName } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { OURS } from '../harness/compare';
import type { Comparison, Variant } from '../harness/types';
import { STEPS } from './lora';
import { lossTolerance } from './peers';
import { prepareTraining, trainOurs, trainPeer, type TrainingJob } from './training';

export function prefixRows(bench: Bench): Comparison[] {
  return BATCHES.flatMap((shape) =>
    (Object.keys(MODELS) as ModelName[]).map((size) => prefixRow(bench, size, shape)),
  );
}

function prefixRow(bench: Bench, size: ModelName, shape: BatchShape): Comparison {
  const job: TrainingJob = {
    ...{ sizes: MODELS[size], shape, method: 'prefix', checkpointing: false },
    ...STEPS[size],
  };
  const peers = bench.peerPrecisions('bfloat16').map((precision): Variant => ({
    name: `PEFT prefix ${precision}`,
    contender: 'PEFT prefix',
    measure: () => trainPeer(bench, job, precision),
  }));
  return {
    kind: 'comparison',
    name: `ptuning/${size}/bf16/${shapeName(shape)}`,
    set: size === 'small' && shape === BATCHES[0] ? 'default' : 'full',
    title: `P-Tuning v2 bf16, ${size}, ${shapeName(shape)} tokens`,
    unit: 'tokens/s',
    better: 'higher',
    tolerance: lossTolerance('bfloat16'),
    variants: [{ name: OURS, contender: OURS, measure: () => trainOurs(bench, job, 'bfloat16') }, ...peers],
    prepare: () => prepareTraining(bench, job),
  };
}
