/** The stricter bars beside eager PEFT: torch.compile, and a lean module that needs neither transformers nor peft. */
import type { Bench } from '../harness/bench';
import type { Variant } from '../harness/types';
import { trainPeer, type TrainingJob } from './training';

/** They are reported, not aimed at with the rigour of the first peer, and compiling takes long. */
const SIDE_ROUNDS = 3;

/** Relative difference of losses that rounding explains. */
export function lossTolerance(dtype: 'float32' | 'bfloat16'): number {
  return dtype === 'float32' ? 1e-4 : 2e-2;
}

export function sideVariants(bench: Bench, job: TrainingJob, dtype: 'float32' | 'bfloat16'): Variant[] {
  const precisions = bench.peerPrecisions(dtype);
  const lean = precisions.map((precision): Variant => ({
    name: `lean module ${precision}`,
    contender: 'lean module',
    mostRounds: SIDE_ROUNDS,
    measure: () => trainPeer(bench, job, precision, { script: 'train_lean.py' }),
  }));
  // One precision: the first is the one that its users would take, and compiling takes longer than the rest of the row.
  const [precision] = precisions;
  const compiled: Variant = {
    name: `PEFT compiled ${precision}`,
    contender: 'torch.compile',
    mostRounds: SIDE_ROUNDS,
    measure: () => trainPeer(bench, job, precision, { compile: true }),
  };
  return job.checkpointing ? lean : [...lean, compiled];
}
