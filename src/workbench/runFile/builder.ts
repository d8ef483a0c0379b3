/** Makes a run file from the wizard's answers. Pure. */
import path from 'node:path';
import type { RunFile } from '../../protocol/run';
import { recipe, type MethodRecipe, type WizardMethod } from './methods';

export interface WizardAnswers {
  name: string;
  /** Absolute paths. */
  model: string;
  dataset: string;
  validation: string | null;
  method: WizardMethod;
  /** Rows of the dataset; sizes evaluation and checkpoint intervals. */
  rows: number;
  /** Of the model; a large one needs every saving of memory. */
  parameters: number;
  /** The shipped practice model is tiny and learns at another pace than a real one. */
  practice: boolean;
}

/** From here on a model is computed in 16 bits, and the inside of its layers twice instead of being kept. */
const LARGE = 1e9;
/** Rows per optimiser step. */
const STEP_ROWS = 16;
const EPOCHS = 3;
const PRACTICE_EPOCHS = 8;
/** Evaluations and checkpoints per run, about. */
const EVALUATIONS = 10;
const CHECKPOINTS = 4;
/** Share of the rows held back where there is no validation file, and the fewest rows for which that is worth it. */
const SPLIT = 0.05;
const SPLIT_MIN_ROWS = 40;

/** What the wizard spells out; everything else keeps its default and can be added by completion. */
export type WizardRunFile = Pick<RunFile, 'version' | 'name' | 'model'> & {
  dataset: Partial<RunFile['dataset']> & { train: string };
  method: MethodRecipe['method'];
  quantization?: { type: 'nf4' };
  training: Partial<RunFile['training']>;
  evaluation: Partial<RunFile['evaluation']>;
  checkpoints: Partial<RunFile['checkpoints']>;
};

/** @param directory where the run file will lie; paths below or beside it become relative */
export function buildRunFile(answers: WizardAnswers, directory: string): WizardRunFile {
  const { method, practice } = answers;
  const chosen = recipe(method, practice);
  const { batchSize } = chosen;
  const accumulation = STEP_ROWS / batchSize;
  const large = answers.parameters >= LARGE;
  const epochs = practice ? PRACTICE_EPOCHS : EPOCHS;
  const split = answers.validation === null && answers.rows >= SPLIT_MIN_ROWS ? SPLIT : 0;
  const trainRows = Math.max(1, Math.round(answers.rows * (1 - split)));
  const steps = Math.max(1, Math.ceil(trainRows / (batchSize * accumulation))) * epochs;
  const hasValidation = answers.validation !== null || split > 0;
  return {
    version: 1,
    name: answers.name,
    model: portablePath(directory, answers.model),
    dataset: {
      train: portablePath(directory, answers.dataset),
      ...(answers.validation === null
        ? { validation_split: split }
        : { validation: portablePath(directory, answers.validation) }),
      max_length: practice ? 256 : 1024,
    },
    method: chosen.method,
    ...(chosen.quantization && { quantization: chosen.quantization }),
    training: {
      dtype: large ? 'bfloat16' : 'float32',
      epochs,
      batch_size: batchSize,
      gradient_accumulation_steps: accumulation,
      learning_rate: chosen.learningRate,
      lr_scheduler_type: 'cosine',
      warmup_ratio: 0.03,
      ...(chosen.weightDecay !== null && { weight_decay: chosen.weightDecay }),
      ...(large && { gradient_checkpointing: true }),
      seed: 42,
    },
    evaluation: { every_steps: hasValidation ? interval(steps, EVALUATIONS) : 0 },
    checkpoints: { every_steps: interval(steps, CHECKPOINTS), keep_last: 2 },
  };
}

/** The file's text: two spaces, lists of words on one line, newline at the end. */
export function runFileText(run: WizardRunFile): string {
  const text = JSON.stringify(run, null, 2);
  const compact = text.replace(/\[\s+("[^\]]*?")\s+\]/g, (_list, words: string) => {
    return `[${words.replace(/,\s+/g, ', ')}]`;
  });
  return `${compact}\n`;
}

function interval(steps: number, times: number): number {
  return Math.max(1, Math.round(steps / times));
}

/** Relative with forward slashes where the target is near, so that a project can be moved; else absolute. */
export function portablePath(directory: string, target: string): string {
  const relative = path.relative(directory, target);
  const climbs = relative.split(path.sep).filter((part) => part === '..').length;
  if (path.isAbsolute(relative) || climbs > 2) return target;
  return relative.split(path.sep).join('/');
}

/** The name the wizard proposes: the dataset's, without what marks it as the training part. */
export function proposedName(dataset: string): string {
  const base = path.basename(dataset).replace(/\.(jsonl|ndjson|json)$/i, '');
  return base.replace(/[._-](train|training|sft)$/i, '') || base;
}

/** A file beside `dataset` that holds its validation rows, by its name; null where none does. */
export function validationSibling(dataset: string, siblings: readonly string[]): string | null {
  const stem = proposedName(dataset).toLowerCase();
  const own = path.basename(dataset);
  const candidates = siblings.filter((name) => name !== own && /\.(jsonl|ndjson)$/i.test(name));
  const marked = candidates.filter((name) => /(^|[._-])(validation|valid|val|dev|eval)([._-]|$)/i.test(name));
  const sameStem = marked.filter((name) => name.toLowerCase().startsWith(stem));
  const exact = sameStem.find((name) => name.toLowerCase() === `${stem}.validation.jsonl`);
  // A file of another dataset is no validation of this one: a bare `val.jsonl` is taken only beside `train.jsonl`.
  const bare = marked.find((name) => /^(validation|valid|val|dev|eval)\.(jsonl|ndjson)$/i.test(name));
  return exact ?? sameStem[0] ?? (/^(train|training)$/.test(stem) ? bare : undefined) ?? null;
}
