import type { TrainingSettings } from '../../protocol/run';

export interface Schedule {
  warmupSteps: number;
  totalSteps: number;
  type: TrainingSettings['lr_scheduler_type'];
}

/** Warm-up in steps: `warmup_steps`, or the ratio of all steps where that is 0. */
export function warmupSteps(settings: TrainingSettings, totalSteps: number): number {
  return settings.warmup_steps > 0 ? settings.warmup_steps : Math.ceil(settings.warmup_ratio * totalSteps);
}

/**
 * Factor of the learning rate for the update after `done` updates. As transformers' schedules: warm-up from 0 (the first step of a
 * warm-up has rate 0), then cosine or linear to 0, or constant.
 */
export function learningRateFactor(schedule: Schedule, done: number): number {
  const { warmupSteps: warmup, totalSteps: total, type } = schedule;
  if (done < warmup) return done / warmup;
  if (type === 'constant') return 1;
  const progress = Math.min(1, (done - warmup) / Math.max(1, total - warmup));
  return type === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
}
