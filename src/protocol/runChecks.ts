/**
 * Combinations of run-file keys that do not fit together. Each key alone is valid; that is `run.ts`' business. Pure, so that the
 * command line refuses and the editor underlines the same things; the sentences stand in `src/text/runChecks`.
 */
import type { RunFile } from './run';

interface CheckArguments {
  /** Every weight is trained, so none can be stored in 4 bits. */
  quantizedFull: Record<string, never>;
  /** PiSSA changes the weights it starts from, which then would have to be quantised anew. */
  quantizedPissa: Record<string, never>;
  /** Full fine-tuning has no adapter that could go on. */
  adapterWithFull: Record<string, never>;
  /** The matrices come from the adapter, not from an initialisation. */
  adapterWithPissa: Record<string, never>;
  /** There are no evaluations, so there is no best one. */
  needsEvaluation: Record<string, never>;
  needsValidation: Record<string, never>;
  /** The schedule would end above where it starts. */
  endAboveStart: { rate: number };
  warmupNeverEnds: { steps: number };
  /** The key does nothing unless `key` is `value`. */
  unusedUnless: { key: string; value: string };
  /** The key does nothing where `key` is given. */
  unusedBeside: { key: string };
  /** The run is to go on with an adapter of another kind. */
  adapterKind: { kind: string; method: string };
  /** The adapter to start from says otherwise, and its own value counts. */
  adapterSetting: { value: string };
}

export type RunCheckCode = keyof CheckArguments;

/** A problem of the run as a whole. A `warning` does not keep it from starting. */
export type RunCheck = {
  [C in RunCheckCode]: {
    /** Where to change something: a key path. */
    key: string;
    severity: 'error' | 'warning';
    code: C;
    args: CheckArguments[C];
  };
}[RunCheckCode];

/** Everything in a run file that does not fit together. */
export function checkRun(run: RunFile): RunCheck[] {
  return [...methodChecks(run), ...evaluationChecks(run), ...scheduleChecks(run), ...unusedChecks(run)];
}

function methodChecks({ method, quantization, adapter }: RunFile): RunCheck[] {
  const checks: RunCheck[] = [];
  const pissa = method.type === 'lora' && method.init_lora_weights === 'pissa';
  if (quantization && method.type === 'full') checks.push(error('quantization', 'quantizedFull', {}));
  if (quantization && pissa) checks.push(error('method.init_lora_weights', 'quantizedPissa', {}));
  if (adapter !== null && method.type === 'full') checks.push(error('adapter', 'adapterWithFull', {}));
  if (adapter !== null && pissa) checks.push(error('method.init_lora_weights', 'adapterWithPissa', {}));
  return checks;
}

function evaluationChecks({ evaluation, dataset }: RunFile): RunCheck[] {
  const { load_best_at_end: best, early_stopping_patience: patience } = evaluation;
  const validated = dataset.validation !== null || dataset.validation_split > 0;
  const missing =
    evaluation.every_steps === 0 ? 'needsEvaluation' : validated ? null : ('needsValidation' as const);
  if (missing === null) return [];
  const checks: RunCheck[] = [];
  if (best) checks.push(error('evaluation.load_best_at_end', missing, {}));
  if (patience !== null) checks.push(warning('evaluation.early_stopping_patience', missing, {}));
  return checks;
}

function scheduleChecks({ training }: RunFile): RunCheck[] {
  const { lr_scheduler_type: schedule, lr_end, learning_rate, warmup_steps, max_steps } = training;
  const checks: RunCheck[] = [];
  if (schedule === 'polynomial' && lr_end >= learning_rate)
    checks.push(error('training.lr_end', 'endAboveStart', { rate: learning_rate }));
  if (max_steps !== null && warmup_steps >= max_steps)
    checks.push(warning('training.warmup_steps', 'warmupNeverEnds', { steps: max_steps }));
  return checks;
}

/** Keys that are set and do nothing; their defaults do nothing either. */
function unusedChecks({ training, method, dataset }: RunFile): RunCheck[] {
  const checks: RunCheck[] = [];
  const schedule = (key: string, set: boolean, needed: string): void => {
    if (set && training.lr_scheduler_type !== needed)
      checks.push(
        warning(`training.${key}`, 'unusedUnless', { key: 'training.lr_scheduler_type', value: needed }),
      );
  };
  schedule('lr_num_cycles', training.lr_num_cycles !== 1, 'cosine_with_restarts');
  schedule('lr_power', training.lr_power !== 1, 'polynomial');
  schedule('lr_end', training.lr_end !== 0, 'polynomial');
  if (training.warmup_steps > 0 && training.warmup_ratio > 0)
    checks.push(warning('training.warmup_ratio', 'unusedBeside', { key: 'training.warmup_steps' }));
  if (dataset.validation !== null && dataset.validation_split > 0)
    checks.push(warning('dataset.validation_split', 'unusedBeside', { key: 'dataset.validation' }));
  if (method.type === 'ptuning_v2' && method.encoder_hidden_size !== null && !method.prefix_projection)
    checks.push(
      warning('method.encoder_hidden_size', 'unusedUnless', {
        key: 'method.prefix_projection',
        value: 'true',
      }),
    );
  return checks;
}

export function error<C extends RunCheckCode>(key: string, code: C, args: CheckArguments[C]): RunCheck {
  return { key, severity: 'error', code, args } as RunCheck;
}

export function warning<C extends RunCheckCode>(key: string, code: C, args: CheckArguments[C]): RunCheck {
  return { key, severity: 'warning', code, args } as RunCheck;
}
