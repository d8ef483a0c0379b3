/**
 * The run file (`*.glmtune.json`): everything a training run depends on. Keys are the field's own names. The JSON schema
 * for the editor is generated from `runFileSchema`; a relative path is relative to the run file.
 */
import { z } from 'zod';
import { nearestWord } from './nearestWord';

const path = z.string().min(1);
const positive = z.number().int().positive();
/** Far above what anyone trains with, far below what would exhaust the memory of the planner. */
const MOST_ROWS = 4096;
const MOST_EPOCHS = 100_000;

export const loraSchema = z.strictObject({
  type: z.literal('lora').describe('method.lora'),
  r: positive.max(1024).default(8).describe('method.r'),
  lora_alpha: z.number().positive().default(16).describe('method.lora_alpha'),
  lora_dropout: z.number().min(0).lt(1).default(0).describe('method.lora_dropout'),
  target_modules: z
    .union([z.literal('all-linear'), z.array(z.string().min(1)).min(1)])
    .nullable()
    .default(null)
    .describe('method.target_modules'),
  use_rslora: z.boolean().default(false).describe('method.use_rslora'),
  use_dora: z.boolean().default(false).describe('method.use_dora'),
  init_lora_weights: z.enum(['default', 'pissa']).default('default').describe('method.init_lora_weights'),
  loraplus_lr_ratio: z.number().min(1).max(1024).default(1).describe('method.loraplus_lr_ratio'),
});

export const prefixSchema = z.strictObject({
  type: z.literal('ptuning_v2').describe('method.ptuning_v2'),
  variant: z.enum(['thudm', 'peft']).nullable().default(null).describe('method.variant'),
  pre_seq_len: positive.max(4096).default(128).describe('method.pre_seq_len'),
  prefix_projection: z.boolean().default(false).describe('method.prefix_projection'),
  encoder_hidden_size: positive
    .max(1 << 20)
    .nullable()
    .default(null)
    .describe('method.encoder_hidden_size'),
  prefix_dropout: z.number().min(0).lt(1).default(0).describe('method.prefix_dropout'),
});

export const quantizationSchema = z.strictObject({
  type: z.literal('nf4').describe('quantization.type'),
  double_quant: z.boolean().default(true).describe('quantization.double_quant'),
});

export const fullSchema = z.strictObject({ type: z.literal('full').describe('method.full') });

export const trainingSchema = z.strictObject({
  dtype: z.enum(['float32', 'bfloat16', 'float16']).default('float32').describe('training.dtype'),
  epochs: z.number().positive().max(MOST_EPOCHS).default(3).describe('training.epochs'),
  max_steps: positive.nullable().default(null).describe('training.max_steps'),
  batch_size: positive.max(MOST_ROWS).default(4).describe('training.batch_size'),
  gradient_accumulation_steps: positive
    .max(MOST_ROWS)
    .default(1)
    .describe('training.gradient_accumulation_steps'),
  accumulation_mean: z
    .enum(['tokens', 'micro_batches'])
    .default('tokens')
    .describe('training.accumulation_mean'),
  learning_rate: z.number().positive().nullable().default(null).describe('training.learning_rate'),
  lr_scheduler_type: z
    .enum([
      'cosine',
      'linear',
      'constant',
      'constant_with_warmup',
      'cosine_with_restarts',
      'polynomial',
      'inverse_sqrt',
    ])
    .default('cosine')
    .describe('training.lr_scheduler_type'),
  lr_num_cycles: positive.max(1000).default(1).describe('training.lr_num_cycles'),
  lr_power: z.number().positive().max(100).default(1).describe('training.lr_power'),
  lr_end: z.number().min(0).default(0).describe('training.lr_end'),
  warmup_steps: z.number().int().min(0).default(0).describe('training.warmup_steps'),
  warmup_ratio: z.number().min(0).max(1).default(0).describe('training.warmup_ratio'),
  optimizer: z.enum(['adamw', 'lion', 'adafactor']).default('adamw').describe('training.optimizer'),
  weight_decay: z.number().min(0).default(0.01).describe('training.weight_decay'),
  weight_decay_on: z.enum(['matrices', 'all']).default('matrices').describe('training.weight_decay_on'),
  adam_beta1: z.number().min(0).lt(1).default(0.9).describe('training.adam_beta1'),
  adam_beta2: z.number().min(0).lt(1).default(0.999).describe('training.adam_beta2'),
  adam_epsilon: z.number().positive().default(1e-8).describe('training.adam_epsilon'),
  neftune_noise_alpha: z.number().min(0).default(0).describe('training.neftune_noise_alpha'),
  label_smoothing_factor: z.number().min(0).lt(1).default(0).describe('training.label_smoothing_factor'),
  max_grad_norm: z.number().min(0).default(1).describe('training.max_grad_norm'),
  shuffle: z.boolean().default(true).describe('training.shuffle'),
  gradient_checkpointing: z.boolean().default(false).describe('training.gradient_checkpointing'),
  packing: z.boolean().default(false).describe('training.packing'),
  group_by_length: z.boolean().default(false).describe('training.group_by_length'),
  auto_batch_size: z.boolean().default(true).describe('training.auto_batch_size'),
  seed: z.number().int().min(0).max(0xffffffff).default(42).describe('training.seed'),
});

export const datasetSchema = z.strictObject({
  train: path.describe('dataset.train'),
  validation: path.nullable().default(null).describe('dataset.validation'),
  validation_split: z.number().min(0).lt(1).default(0).describe('dataset.validation_split'),
  max_length: positive.default(1024).describe('dataset.max_length'),
  template: z
    .enum(['chatglm', 'chatglm2', 'chatglm3', 'glm4', 'jinja'])
    .nullable()
    .default(null)
    .describe('dataset.template'),
  mask_history: z.boolean().default(false).describe('dataset.mask_history'),
});

export const evaluationSchema = z.strictObject({
  every_steps: z.number().int().min(0).default(0).describe('evaluation.every_steps'),
  early_stopping_patience: positive.nullable().default(null).describe('evaluation.early_stopping_patience'),
  load_best_at_end: z.boolean().default(false).describe('evaluation.load_best_at_end'),
});

export const checkpointsSchema = z.strictObject({
  every_steps: z.number().int().min(0).default(0).describe('checkpoints.every_steps'),
  keep_last: positive.default(2).describe('checkpoints.keep_last'),
});

const METHODS = { lora: loraSchema, ptuning_v2: prefixSchema, full: fullSchema } as const;

export type MethodType = keyof typeof METHODS;
export const METHOD_TYPES = Object.keys(METHODS) as MethodType[];

const sectionsSchema = z.strictObject({
  $schema: z.string().optional().describe('$schema'),
  version: z.literal(1).default(1).describe('version'),
  name: z.string().min(1).max(100).describe('name'),
  model: path.describe('model'),
  adapter: path.nullable().default(null).describe('adapter'),
  output_dir: path.nullable().default(null).describe('output_dir'),
  dataset: datasetSchema.describe('dataset'),
  method: z.discriminatedUnion('type', [loraSchema, prefixSchema, fullSchema]).describe('method'),
  quantization: quantizationSchema.nullable().default(null).describe('quantization'),
  training: trainingSchema.prefault({}).describe('training'),
  evaluation: evaluationSchema.prefault({}).describe('evaluation'),
  checkpoints: checkpointsSchema.prefault({}).describe('checkpoints'),
});

/** Validates, fills in the defaults, and resolves those that depend on the method. */
export const runFileSchema = sectionsSchema.transform(resolveRun);

/** A run file with every default filled in. */
export type RunFile = z.infer<typeof runFileSchema>;
export type TrainingSettings = RunFile['training'];
export type LoraSettings = z.infer<typeof loraSchema>;
export type PrefixSettings = z.infer<typeof prefixSchema>;

/**
 * Learning rates that THUDM trained ChatGLM with (its P-Tuning and full fine-tuning scripts) and that is usual for LoRA.
 * A prefix needs a hundred times the rate of a matrix: it has few numbers, each far from where it has to go.
 */
export const DEFAULT_LEARNING_RATE: Readonly<Record<MethodType, number>> = {
  lora: 1e-4,
  ptuning_v2: 2e-2,
  full: 1e-4,
};

/** Replaces what the file leaves to the method by its value. Pure; a resolved run stays as it is. */
function resolveRun(run: z.infer<typeof sectionsSchema>) {
  const learning_rate = run.training.learning_rate ?? DEFAULT_LEARNING_RATE[run.method.type];
  return { ...run, training: { ...run.training, learning_rate } };
}

/** A problem of a run file: the key path (`training.batch_size`) and the validator's sentence. */
export interface RunFileProblem {
  key: string;
  message: string;
  /** What the validator found, for a sentence in the reader's language (`src/text/runProblems`). */
  issue?: z.core.$ZodIssue;
  /** For an unknown key or method: the known one that is spelled most like it. */
  suggestion?: string;
  /** For a key of another method: that method. */
  owner?: MethodType;
}

/** Validates a run file and fills in the defaults; every problem is reported, not only the first. */
export function parseRunFile(value: unknown): { run: RunFile } | { problems: RunFileProblem[] } {
  const result = runFileSchema.safeParse(value, { reportInput: true });
  if (result.success) return { run: result.data };
  return { problems: result.error.issues.flatMap(toProblems) };
}

function toProblems(issue: z.core.$ZodIssue): RunFileProblem[] {
  const parent = issue.path.join('.');
  const { message } = issue;
  if (parent === 'method.type') return [methodProblem(issue)];
  if (issue.code !== 'unrecognized_keys') return [{ key: parent, message, issue }];
  return issue.keys.map((key) => {
    const problem = { key: parent ? `${parent}.${key}` : key, message, issue };
    const owner = parent === 'method' ? ownerOf(key) : undefined;
    if (owner) return { ...problem, owner };
    const suggestion = nearestKey(key, parent, issue.input);
    return suggestion === undefined ? problem : { ...problem, suggestion };
  });
}

/** An unknown method; the name meant is found through its punctuation (`p-tuning_v2`). */
function methodProblem(issue: z.core.$ZodIssue): RunFileProblem {
  const written = (issue.input as { type?: unknown } | undefined)?.type ?? issue.input;
  const plain = typeof written === 'string' ? written.toLowerCase().replace(/[^a-z0-9]/g, '') : '';
  const suggestion = plain === '' ? undefined : (METHOD_NAMES[plain] ?? nearestMethod(plain));
  const problem = { key: 'method.type', message: issue.message, issue };
  return suggestion === undefined ? problem : { ...problem, suggestion };
}

/** Other names of the methods, without punctuation. */
const METHOD_NAMES: Readonly<Record<string, MethodType>> = {
  qlora: 'lora',
  dora: 'lora',
  ptuning: 'ptuning_v2',
  ptuningv2: 'ptuning_v2',
  prefix: 'ptuning_v2',
  prefixtuning: 'ptuning_v2',
  finetune: 'full',
  finetuning: 'full',
  fullfinetuning: 'full',
  sft: 'full',
};

function nearestMethod(plain: string): MethodType | undefined {
  const name = nearestWord(plain, [
    ...METHOD_TYPES.map((type) => type.replace('_', '')),
    ...Object.keys(METHOD_NAMES),
  ]);
  return name === undefined ? undefined : (METHOD_NAMES[name] ?? (name as MethodType));
}

/** The first method that has this key. */
function ownerOf(key: string): MethodType | undefined {
  return METHOD_TYPES.find((type) => Object.hasOwn(METHODS[type].shape, key));
}

const KEYS_OF: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(sectionsSchema.shape),
  dataset: Object.keys(datasetSchema.shape),
  method: METHOD_TYPES.flatMap((type) => Object.keys(METHODS[type].shape)),
  quantization: Object.keys(quantizationSchema.shape),
  training: Object.keys(trainingSchema.shape),
  evaluation: Object.keys(evaluationSchema.shape),
  checkpoints: Object.keys(checkpointsSchema.shape),
};

/**
 * The known key nearest to a misspelt one; a key of another section is named with its section. `section` is what stands under
 * `parent`: its method's keys are the ones allowed there.
 */
function nearestKey(key: string, parent: string, section: unknown): string | undefined {
  const wanted = key.toLowerCase();
  const near = nearestWord(wanted, allowedKeys(parent, section));
  if (near) return near;
  const home = Object.keys(KEYS_OF).find((name) => KEYS_OF[name]?.includes(wanted));
  return home === undefined ? undefined : [home, wanted].filter(Boolean).join('.');
}

function allowedKeys(parent: string, section: unknown): readonly string[] {
  const type = parent === 'method' ? (section as { type?: MethodType } | undefined)?.type : undefined;
  return type === undefined ? (KEYS_OF[parent] ?? []) : Object.keys(METHODS[type].shape);
}
