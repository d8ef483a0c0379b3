/** What the model doctor (`check-model`) finds: plain data; `src/text/modelFindings` makes sentences of it. */
import type { ErrorData } from './errors';

/**
 * `error`: training would fail or learn the wrong thing. `warning`: worth a look before hours are spent. `note`: how the
 * checkpoint is to be understood.
 */
export type FindingSeverity = 'error' | 'warning' | 'note';

/** Findings by code, with the arguments of their sentence. Shapes and lists are written out. */
export interface ModelFindings {
  /** Weight files that the index names and that are not there. */
  missingShard: { shard: string; index: string };
  missingTensor: { tensor: string; expected: string };
  wrongShape: { tensor: string; file: string; found: string; expected: string };
  /** `expected` is empty where any floating-point format will do. */
  wrongDType: { tensor: string; file: string; found: string; expected: string };
  extraTensor: { tensor: string; file: string; found: string };
  /** Matrices in more than one floating-point format; `formats` counts tensors. */
  mixedDTypes: { formats: string };
  /** Norms and biases in another format than the matrices, as some tools store them. */
  mixedSmallDTypes: { formats: string };
  dtypeDiffers: { key: string; configured: string; stored: string };
  /** A second copy of a tied parameter. */
  tiedCopy: { tensor: string; parameter: string };
  tiedCopyDiffers: { tensor: string; parameter: string };
  /** P-Tuning v2 parameters inside a checkpoint. */
  prefixInside: { entries: number };
  prefixMissing: { entries: number };
  nonFinite: { tensor: string; count: number };
  /** Ids of `config.json` or `generation_config.json` that the embedding has no row for. */
  tokenOutside: { file: string; key: string; token: number; rows: number };
  /** Two keys of `config.json` for one thing. */
  keysDisagree: { first: string; firstValue: number; second: string; secondValue: number };
  generationDiffers: { key: string; generation: string; config: string };
  /** More ids than rows. */
  vocabularyTooSmall: { tokens: number; rows: number };
  /** Far fewer ids than rows: probably the tokenizer of another model. */
  vocabularyTooLarge: { tokens: number; rows: number };
  unusedRows: { tokens: number; rows: number };
  /** `found` and `expected` are ids with their texts. */
  tokenDiffers: { key: string; found: string; expected: string };
  /** None of the ids that end an answer in the prompt format is the configuration's. */
  stopTokensDiffer: { found: string; expected: string };
  templateFamily: { template: string; usable: string };
}

export type FindingCode = keyof ModelFindings;

export type CodedFinding = {
  [C in FindingCode]: { severity: FindingSeverity; code: C; args: ModelFindings[C] };
}[FindingCode];

export type ModelFinding =
  | CodedFinding
  /** Something could not be read at all. */
  | { severity: 'error'; code: 'failed'; error: ErrorData };

/** Trainable numbers of one way to fine-tune. */
export interface MethodCount {
  method: 'lora' | 'ptuning_v2' | 'full';
  /** What it was counted for, with the run file's keys. */
  settings: Record<string, string | number | boolean>;
  trainable: number;
}

/** A model in figures. What could not be found out is null. */
export interface ModelReport {
  directory: string;
  /** Whether there is no finding of severity `error`. */
  ok: boolean;
  model: {
    /** Which network: the discriminant of `ModelConfig`. */
    architecture: string;
    /** A tied output layer counts once. */
    parameters: number;
    layers: number;
    hidden_size: number;
    vocabulary_rows: number;
    context_length: number;
    quantization_bit: number;
  } | null;
  weights: {
    format: 'safetensors' | 'torch';
    files: number;
    /** Size of the files on disk. */
    bytes: number;
    tensors: number;
    /** Format of most of the values. */
    dtype: string;
    /** Number of values per format. */
    values_by_dtype: Record<string, number>;
  } | null;
  tokenizer: { tokens: number; template: string } | null;
  methods: MethodCount[];
  findings: ModelFinding[];
}
