/** Full fine-tuning: bfloat16 products over float32 master weights; the peer's autocast is the same. */
import { BATCHES, MODELS, shapeName } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { OURS } from '../harness/compare';
import type { Comparison, Variant } from '../harness/types';
import { STEPS } from './lora';
import { lossTolerance } from './peers';
import { prepareTraining, trainOurs, trainPeer, type TrainingJob } from './training';

export function fullRows(bench: Bench): Comparison[] {
  return BATCHES.map((shape, index): Comparison => {
    const job: TrainingJob = {
      ...{ sizes: MODELS.small, shape, method: 'full', checkpointing: false },
      ...STEPS.small,
    };
    // Weights that are kept in bfloat16 lose small updates: not the same work.
    const precisions = bench.peerPrecisions('bfloat16').filter((precision) => precision !== 'bfloat16');
    const peers = precisions.map((precision): Variant => ({
      name: `transformers ${precision}`,
      contender: 'transformers',
      measure: () => trainPeer(bench, job, precision),
    }));
    return {
      kind: 'comparison',
      name: `full/small/bf16/${shapeName(shape)}`,
      set: index === 0 ? 'default' : 'full',
      title: `full fine-tuning bf16 (float32 masters), small, ${shapeName(shape)} tokens`,
      unit: 'tokens/s',
      better: 'higher',
      tolerance: lossTolerance('bfloat16'),
      goals: { transformers: { value: 1.25, peak: 1.05 } },
      variants: [{ name: OURS, contender: OURS, measure: () => trainOurs(bench, job, 'bfloat16') }, ...peers],
      prepare: () => prepareTraining(bench, job),
    };
  });
}
