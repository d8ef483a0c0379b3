/** LoRA over NF4 weights: against our own LoRA over bfloat16 weights, and against PEFT over bitsandbytes' NF4. */
import {
  BATCHES,
  MODELS,
  shapeName,
  type BatchShape,
  type ModelName,
  type ModelSizes,
} from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { OURS } from '../harness/compare';
import type { Comparison, Measurement, Variant } from '../harness/types';
import { STEPS } from './lora';
import { lossTolerance } from './peers';
import { prepareTraining, trainOurs, trainPeer, type TrainingJob } from './training';

const OWN_LORA = 'our own LoRA bf16';

export function quantisedRows(bench: Bench): Comparison[] {
  return BATCHES.flatMap((shape) =>
    (Object.keys(MODELS) as ModelName[]).map((size) => quantisedRow(bench, size, shape)),
  );
}

function quantisedRow(bench: Bench, size: ModelName, shape: BatchShape): Comparison {
  const sizes = MODELS[size];
  const job: TrainingJob = { sizes, shape, method: 'qlora', checkpointing: false, ...STEPS[size] };
  const ownLora: Variant = {
    name: OWN_LORA,
    contender: OWN_LORA,
    sameLosses: false,
    measure: () => trainOurs(bench, { ...job, method: 'lora' }, 'bfloat16'),
  };
  const precisions = bench.peerPrecisions('bfloat16').filter((precision) => precision !== 'autocast');
  const peers = precisions.map((precision): Variant => ({
    name: `PEFT NF4 ${precision}`,
    contender: 'PEFT NF4',
    measure: () => trainPeer(bench, job, precision),
  }));
  return {
    kind: 'comparison',
    name: `qlora/${size}/bf16/${shapeName(shape)}`,
    set: size === 'medium' && shape === BATCHES[0] ? 'default' : 'full',
    title: `QLoRA NF4, ${size}, ${shapeName(shape)} tokens`,
    unit: 'tokens/s',
    better: 'higher',
    tolerance: lossTolerance('bfloat16'),
    goals: { [OWN_LORA]: { value: 0.6 }, 'PEFT NF4': { value: 1.5 } },
    variants: [
      { name: OURS, contender: OURS, measure: () => trainOurs(bench, job, 'bfloat16') },
      ownLora,
      ...peers,
    ],
    prepare: () => prepareTraining(bench, job),
    remarks: (measured) => weightRemarks(measured, sizes),
  };
}

/** Bytes of the base weights as the product plans them: all of them, and those of the layers that are packed. */
function weightRemarks(measured: ReadonlyMap<string, Measurement>, sizes: ModelSizes): string[] {
  const packed = measured.get(OURS)?.details?.weights ?? NaN;
  const dense = measured.get(OWN_LORA)?.details?.weights ?? NaN;
  if (!Number.isFinite(packed) || !Number.isFinite(dense)) return [];
  // Embedding and output layer stay in bfloat16.
  const unpacked = 2 * 2 * sizes.vocab_size * sizes.hidden_size;
  const [all, layers] = [packed / dense, (packed - unpacked) / (dense - unpacked)];
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  return [
    `base weights ${megabytes(packed)}, in bfloat16 ${megabytes(dense)} (${all.toFixed(2)}x); ` +
      `without embedding and output layer, which are not packed, ${layers.toFixed(2)}x (goal 0.3x)`,
  ];
}
