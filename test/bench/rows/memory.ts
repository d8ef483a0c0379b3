/** Memory over 2,000 steps: a leak of one small tensor a step would show. */
import { MODELS, type ModelSizes } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { linearFit } from '../harness/statistics';
import type { Study, StudyResult } from '../harness/types';
import { prepareTraining, trainOurs, type TrainingJob } from './training';

const STEPS = 2000;
/** Programs are compiled and pools are filled before. */
const SETTLED = 200;
const SHOWN = [1, 200, 500, 1000, 1500, 2000];

/** Small enough for a thousand steps a minute. */
const TINY: ModelSizes = {
  ...MODELS.small,
  ...{ vocab_size: 1024, hidden_size: 128, intermediate_size: 384, num_hidden_layers: 2 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 32 },
};

export function memoryRows(bench: Bench): Study[] {
  const title = `Resident memory over ${STEPS} steps (LoRA f32, hidden 128, 2 layers, 2x64 tokens)`;
  const job: TrainingJob = {
    ...{ sizes: TINY, shape: { rows: 2, tokens: 64 }, method: 'lora', checkpointing: false },
    ...{ warmUp: 0, timed: STEPS },
  };
  return [
    {
      ...{ kind: 'study', name: 'memory/2000-steps', set: 'default', title },
      async run(): Promise<StudyResult> {
        await prepareTraining(bench, job);
        const { memory = [] } = await trainOurs(bench, job, 'float32');
        const points = memory.map((bytes, i) => [i + 1, bytes] as const).slice(SETTLED);
        const growth = linearFit(points).slope * 1000;
        return {
          ...{ name: 'memory/2000-steps', title },
          header: SHOWN.map((step) => `step ${step}`),
          rows: [SHOWN.map((step) => `${(memory[step - 1] / 1e6).toFixed(1)} MB`)],
          notes: [`Growth after step ${SETTLED}: ${(growth / 1e6).toFixed(2)} MB per 1,000 steps.`],
          data: { growthPerThousandSteps: growth, memory: SHOWN.map((step) => memory[step - 1]) },
        };
      },
    },
  ];
}
