/** What the engine hands to the command line: plain data in, plain data out. */
import type { SamplingSettings } from '../protocol/control';

export type ComputeDType = 'float32' | 'bfloat16';

export interface LoadOptions {
  /** Checkpoint directory. */
  model: string;
  /** PEFT adapter directory, or null. */
  adapter: string | null;
  dtype: ComputeDType;
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
  libtensorflow: string;
  /** `CPU` or the names of the GPUs. */
  devices: string[];
  dtypes: ComputeDType[];
  threads: number;
  /** tfjs backend name and version. */
  tfjs: string;
  /** A training step of a tiny model run on the graph and on tfjs eagerly: largest difference of loss and gradients. */
  selfTest: { ok: boolean; maxDifference: number; seconds: number };
}

/** Resolves when the engine library of this machine is loaded; throws GlmError `engine.notInstalled` / `engine.loadFailed`. */
export type { LanguageModel } from './infer/languageModel';
