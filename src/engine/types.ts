/** What the engine hands to the command line: plain data in, plain data out. */
import type { SamplingSettings } from '../protocol/control';
import type { TemplateId } from '../tokenizer/types';

export type ComputeDType = 'float32' | 'bfloat16' | 'float16';

export interface LoadOptions {
  /** Checkpoint directory. */
  model: string;
  /** Adapter directory (PEFT LoRA or prefix tuning, THUDM prefix), or null. */
  adapter: string | null;
  dtype: ComputeDType;
  /** Keep the linear layers of the blocks in 4 bits (double quantised NF4); null or absent: as the checkpoint has them. */
  quantization?: 'nf4' | null;
  /** Prompt format; null or absent: the one that the files of the model say. */
  template?: TemplateId | null;
}

export interface Score {
  tokens: number[];
  /** `logprobs[t]`: log-probability of token t given the ones before it; null for t = 0. */
  logprobs: (number | null)[];
  /** Per position t, the most likely tokens **at** t + 1 as [id, log-probability], most likely first. */
  top_logprobs?: [number, number][][];
  /** Mean negative log-probability over the labelled tokens (all but the first where no labels are given). */
  loss: number;
  tokens_counted: number;
}

export interface GenerateOptions {
  sampling: SamplingSettings;
  stopIds: readonly number[];
  signal?: AbortSignal;
  /** Called with each new id as it is chosen. */
  onToken?(id: number): void;
}

export interface Generation {
  outputIds: number[];
  finishReason: 'stop' | 'length' | 'cancelled';
}

/** What `doctor` reports about the engine. */
export interface EngineReport {
  /** `portable`: tfjs on WebAssembly, for small models where there is no libtensorflow. */
  kind: 'libtensorflow' | 'portable';
  /** Its version; null where there is none. */
  libtensorflow: string | null;
  /** `CPU` or the names of the GPUs. */
  devices: string[];
  dtypes: ComputeDType[];
  threads: number;
  /** tfjs backend name and version. */
  tfjs: string;
  /** Loss and gradients of a tiny model, as a compiled function and as tfjs operations: their largest difference. */
  selfTest: { ok: boolean; maxDifference: number; seconds: number };
}

/** What `score`, `generate` and `chat` work with. */
export type { LanguageModel } from './infer/languageModel';
