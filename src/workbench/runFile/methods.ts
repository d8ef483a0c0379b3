/** The ways to train that the wizard offers, and what it writes for each. Pure. */
import type { RunFile } from '../../protocol/run';

export const WIZARD_METHODS = ['lora', 'qlora', 'ptuning_v2', 'full'] as const;
export type WizardMethod = (typeof WIZARD_METHODS)[number];

export interface MethodRecipe {
  method: { type: RunFile['method']['type'] } & Record<string, string | number | boolean | string[] | null>;
  quantization: { type: 'nf4' } | null;
  learningRate: number;
  /** Null leaves the default. */
  weightDecay: number | null;
  /** Rows computed at once; the rest of a step is accumulated. */
  batchSize: number;
}

const LORA = { type: 'lora', r: 8, lora_alpha: 16, lora_dropout: 0 } as const;

/** Usual for models of 6 to 9 billion parameters; the prefix is trained as in THUDM's own scripts. */
const RECIPES: Readonly<Record<WizardMethod, MethodRecipe>> = {
  lora: { method: LORA, quantization: null, learningRate: 1e-4, weightDecay: null, batchSize: 4 },
  qlora: {
    method: { ...LORA, target_modules: 'all-linear' },
    quantization: { type: 'nf4' },
    learningRate: 2e-4,
    weightDecay: null,
    batchSize: 4,
  },
  ptuning_v2: {
    method: { type: 'ptuning_v2', pre_seq_len: 128, prefix_projection: false, prefix_dropout: 0.1 },
    quantization: null,
    learningRate: 2e-2,
    // At this rate decay would pull the prefix to nothing within a few thousand steps.
    weightDecay: 0,
    batchSize: 4,
  },
  full: { method: { type: 'full' }, quantization: null, learningRate: 2e-5, weightDecay: null, batchSize: 2 },
};

/** The practice model is tiny and learns at another pace; found by trying. */
const PRACTICE: Readonly<Record<WizardMethod, Partial<MethodRecipe>>> = {
  lora: { method: practiceLora(), learningRate: 3e-3 },
  qlora: { method: practiceLora(), learningRate: 3e-3 },
  ptuning_v2: {
    method: { type: 'ptuning_v2', pre_seq_len: 32, prefix_projection: false, prefix_dropout: 0 },
    learningRate: 0.1,
  },
  full: { learningRate: 1e-3 },
};
const PRACTICE_BATCH_SIZE = 16;

function practiceLora(): MethodRecipe['method'] {
  return { ...LORA, r: 16, lora_alpha: 32, target_modules: 'all-linear' };
}

export function recipe(method: WizardMethod, practice: boolean): MethodRecipe {
  const usual = RECIPES[method];
  return practice ? { ...usual, ...PRACTICE[method], batchSize: PRACTICE_BATCH_SIZE } : usual;
}

/** What can be trained on a checkpoint: one that is quantised itself has no weights for the other two. */
export function methodsFor({ quantizationBit }: { quantizationBit: number }): WizardMethod[] {
  return quantizationBit > 0 ? ['lora', 'ptuning_v2'] : [...WIZARD_METHODS];
}
