import type { TrainingSettings } from '../../protocol/run';

/** A learning-rate schedule over the updates of a run. */
export interface Schedule {
  type: TrainingSettings['lr_scheduler_type'];
  warmupSteps: number;
  totalSteps: number;
  /** Restarts of `cosine_with_restarts`. */
  cycles: number;
  /** Exponent of `polynomial`. */
  power: number;
  /** Where `polynomial` ends, as a factor of the learning rate. */
  end: number;
}

/** Updates in which `inverse_sqrt` falls to 1/√2, where there is no warm-up to take it from. */
const INVERSE_SQRT_TIMESCALE = 10_000;

/** The schedule that a run file asks for. */
export function scheduleOf(settings: TrainingSettings, totalSteps: number): Schedule {
  return {
    type: settings.lr_scheduler_type,
    warmupSteps: warmupSteps(settings, totalSteps),
    totalSteps,
    cycles: settings.lr_num_cycles,
    power: settings.lr_power,
    end: settings.lr_end / settings.learning_rate,
  };
}

/** Warm-up in steps: `warmup_steps`, or the ratio of all steps where that is 0. */
function warmupSteps(settings: TrainingSettings, totalSteps: number): number {
  return settings.warmup_steps > 0 ? settings.warmup_steps : Math.ceil(settings.warmup_ratio * totalSteps);
}

/**
 * Factor of the learning rate for the update after `done` updates, as transformers 4.57 computes it: a linear warm-up from 0 (the
 * first update of a warm-up has rate 0), then the schedule's own curve. One difference: `constant` takes a warm-up where one is
 * set, which makes it `constant_with_warmup`; transformers would ignore the setting.
 */
export function learningRateFactor(schedule: Schedule, done: number): number {
  const { warmupSteps: warmup, totalSteps: total, type } = schedule;
  if (done < warmup) return done / warmup;
  const progress = Math.min(1, (done - warmup) / Math.max(1, total - warmup));
  switch (type) {
    case 'constant':
    case 'constant_with_warmup':
      return 1;
    case 'linear':
      return 1 - progress;
    case 'cosine':
      return cosine(progress);
    case 'cosine_with_restarts':
      return progress === 1 ? 0 : cosine((schedule.cycles * progress) % 1);
    case 'polynomial':
      return (1 - schedule.end) * Math.pow(1 - progress, schedule.power) + schedule.end;
    case 'inverse_sqrt': {
      const timescale = warmup || INVERSE_SQRT_TIMESCALE;
      return 1 / Math.sqrt((done - warmup + timescale) / timescale);
    }
  }
}

/** From 1 at 0 to 0 at 1, along half a wave. */
function cosine(progress: number): number {
  return 0.5 * (1 + Math.cos(Math.PI * progress));
}
