/**
 * The event stream of a run: one JSON object a line in `events.jsonl`. Trainer, command line, editor and the PyTorch
 * worker share it. A resumed run appends; readers drop step events beyond the `step` of a later `resumed` event. JSON has no
 * NaN and no infinity: a loss or norm that is not finite stands there as null.
 */
import type { ErrorData } from './errors';
import type { MethodType, TrainingSettings } from './run';

/** Memory that a run is expected to take, in bytes. */
export interface MemoryPlan {
  weights: number;
  gradients: number;
  optimizer: number;
  /** Of the largest micro-batch. */
  activations: number;
  /** Of the process itself and its compiled functions. */
  overhead: number;
  total: number;
  /** What the machine (or the container) has left for it, the process's own memory included. */
  available: number;
}

/** Written once when a run starts; sizes are counts, times are ISO 8601. */
export interface StartedEvent {
  type: 'started';
  time: string;
  name: string;
  model: string;
  architecture: string;
  method: MethodType;
  /** How the base weights are stored; absent in runs of an older version, which stored them as they are. */
  quantization?: 'nf4' | null;
  dtype: TrainingSettings['dtype'];
  /** The largest one, which the method settles where the run file leaves it open; absent in runs of an older version. */
  learning_rate?: number;
  device: string;
  /** Versions of what computed the run: `extension`, `node`, `libtensorflow`. */
  versions: Record<string, string>;
  trainable_parameters: number;
  total_parameters: number;
  train_rows: number;
  validation_rows: number;
  dropped_rows: number;
  truncated_rows: number;
  total_steps: number;
  epochs: number;
  /** Rows per optimiser step. */
  effective_batch_size: number;
  /** Longest training row in tokens, after truncation. */
  longest_row: number;
  /** Absent in runs of earlier versions. */
  memory?: MemoryPlan;
}

/** One optimiser step. `loss` is before the update; `grad_norm` before clipping. */
export interface StepEvent {
  type: 'step';
  step: number;
  epoch: number;
  loss: number;
  lr: number;
  grad_norm: number;
  /** Tokens of this step, padding not counted. */
  tokens: number;
  tokens_per_second: number;
  /** 1-based line numbers in the training file. */
  rows: number[];
  /** Mean loss of each row, in the order of `rows`; null where the row has no trained token. */
  row_losses: (number | null)[];
  /** Resident memory of the process in bytes. */
  memory: number;
  /** Seconds since the run (or its resumption) started. */
  seconds: number;
}

export interface EvalEvent {
  type: 'eval';
  step: number;
  epoch: number;
  loss: number;
  perplexity: number;
  /** Share of labelled tokens that are the arg-max of the distribution. */
  token_accuracy: number;
  seconds: number;
}

export interface CheckpointEvent {
  type: 'checkpoint';
  step: number;
  /** Relative to the run directory. */
  path: string;
  /** Whether its evaluation loss is the lowest so far. */
  best: boolean;
}

/** Something the user should know; the run goes on. `code` is one of `WarningCode`. */
export interface WarningEvent {
  type: 'warning';
  code: WarningCode;
  args: Record<string, string | number>;
}

export type WarningCode =
  | 'rowsDropped'
  /** Rows whose question leaves no room for an answer. */
  | 'rowsTooLong'
  /** The checkpoint's chat template refused `count` rows, the first at `line`, because of `detail`. */
  | 'rowsRefused'
  | 'rowsTruncated'
  /** ChatGLM-6B trains one answer a row: earlier ones that ask to be trained are only context. */
  | 'answersOnlyContext'
  | 'adapterUnchanged'
  | 'fewRows'
  | 'noValidation'
  /** Memory ran out in `step`; micro-batches have `rows` rows from now on. */
  | 'batchHalved'
  /** The plan says that the run needs more memory than there is; in gigabytes. */
  | 'memoryShort'
  /** The gradients of `step` overflowed in float16; the loss is now scaled by `scale`. */
  | 'stepSkipped'
  /** The run is computed by the portable engine, which is slower and for small models. */
  | 'portableEngine'
  /** The engine computes in `used`, not in `dtype` as the run file says. */
  | 'dtypeReplaced';

export interface ResumedEvent {
  type: 'resumed';
  time: string;
  step: number;
  checkpoint: string;
}

/** The user stopped the run; it can be resumed from `checkpoint`. */
export interface StoppedEvent {
  type: 'stopped';
  time: string;
  step: number;
  checkpoint: string | null;
}

export interface FailedEvent {
  type: 'failed';
  time: string;
  step: number;
  error: ErrorData;
  /** The sentence in the language of the process that failed, for readers without our texts. */
  message: string;
}

export interface DoneEvent {
  type: 'done';
  time: string;
  steps: number;
  seconds: number;
  /** Mean loss over the first and the last tenth of the steps. */
  first_loss: number;
  last_loss: number;
  best_eval_loss: number | null;
  /** Why training ended. */
  reason: 'completed' | 'earlyStopping';
  /** Adapter directory, or checkpoint directory of full fine-tuning, relative to the run directory. */
  output: string;
  /** Largest absolute difference of logits between base and tuned model on a training row. */
  logit_change: number;
  /** Most memory that the process has taken, in bytes; absent in runs of earlier versions. */
  peak_memory?: number;
}

export type RunEvent =
  | StartedEvent
  | StepEvent
  | EvalEvent
  | CheckpointEvent
  | WarningEvent
  | ResumedEvent
  | StoppedEvent
  | FailedEvent
  | DoneEvent;

/** Parses one line of `events.jsonl`; null for a torn or foreign line (a crash can leave the last line half written). */
export function parseRunEvent(line: string): RunEvent | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && typeof (value as RunEvent).type === 'string')
      return value as RunEvent;
  } catch {
    // A torn line is not an event.
  }
  return null;
}
