/** What every key of a run file does, for hovers and completion. Keys are the `describe` strings of `protocol/run.ts`. */
import type { Translate } from './translate';

export interface KeyText {
  /** One sentence, with the usual range where there is one. */
  description: string;
  /** What each allowed value means, by value. */
  values?: Record<string, string>;
}

export function runKeys(t: Translate): Record<string, KeyText> {
  return {
    ...topKeys(t),
    ...datasetKeys(t),
    ...methodKeys(t),
    ...scheduleKeys(t),
    ...optimiserKeys(t),
    ...watchKeys(t),
  };
}

function topKeys(t: Translate): Record<string, KeyText> {
  return {
    $schema: { description: t('Place of the JSON schema, for editors other than VS Code.') },
    version: { description: t('Version of the run file format; 1 is the only one.') },
    name: { description: t('Name of the run; its directory is called after it.') },
    model: {
      description: t(
        'Directory of the base model, with config.json, safetensors weights and tokenizer files. Relative to this file.',
      ),
    },
    adapter: {
      description: t('PEFT adapter directory to start from instead of a fresh adapter; null starts anew.'),
    },
    output_dir: {
      description: t('Directory of the run; null makes runs/<name> beside this file.'),
    },
    dataset: { description: t('The data to train on, and how it is cut.') },
    method: { description: t('What is trained: a small adapter (LoRA) or the whole model.') },
    training: { description: t('Length, batch, learning rate and optimiser of the training.') },
    evaluation: { description: t('When the validation rows are evaluated.') },
    checkpoints: { description: t('When the state is saved, so that the run can be resumed.') },
  };
}

function datasetKeys(t: Translate): Record<string, KeyText> {
  return {
    'dataset.train': { description: t('JSONL file of training rows. Relative to this file.') },
    'dataset.validation': {
      description: t('JSONL file of validation rows, never trained on; null for none.'),
    },
    'dataset.validation_split': {
      description: t(
        'Share of the training rows set aside for validation; usually 0.05 to 0.1, 0 for none. Not used beside a validation file.',
      ),
    },
    'dataset.max_length': {
      description: t(
        'Longest row in tokens; what is longer is cut. Usually 512 to 4096; memory grows with it.',
      ),
    },
    'dataset.mask_history': {
      description: t('Train only the last answer of a conversation instead of every answer.'),
    },
  };
}

function methodKeys(t: Translate): Record<string, KeyText> {
  return {
    'method.lora': {
      description: t('LoRA: trains small matrices beside the frozen weights; needs little memory.'),
    },
    'method.full': {
      description: t('Full fine-tuning: trains every weight; needs several times the memory.'),
    },
    'method.r': {
      description: t('Rank of the LoRA matrices; usually 4 to 64. More learns more and needs more memory.'),
    },
    'method.lora_alpha': {
      description: t('Strength of the adapter, which is scaled by lora_alpha / r; usually r to 4 times r.'),
    },
    'method.lora_dropout': {
      description: t("Share of the adapter's inputs set to zero at random while training; usually 0 to 0.1."),
    },
    'method.target_modules': {
      description: t(
        'Layers that get an adapter: query_key_value, dense, dense_h_to_4h, dense_4h_to_h. All four learn most.',
      ),
    },
    'method.use_rslora': {
      description: t('Scale by lora_alpha / sqrt(r) instead, which keeps large ranks effective.'),
    },
  };
}

function scheduleKeys(t: Translate): Record<string, KeyText> {
  return {
    'training.dtype': {
      description: t('Number format of the computation.'),
      values: {
        float32: t('exact; the reference'),
        bfloat16: t('half the memory and faster where the processor supports it'),
      },
    },
    'training.epochs': { description: t('How often every row is seen; usually 1 to 5.') },
    'training.max_steps': {
      description: t('Number of optimiser steps, whatever "epochs" says; null leaves it to "epochs".'),
    },
    'training.batch_size': {
      description: t('Rows computed at once; usually 1 to 16. Memory grows with it.'),
    },
    'training.gradient_accumulation_steps': {
      description: t(
        'Batches added up before each optimiser step; raise it when memory allows only small batches.',
      ),
    },
    'training.accumulation_mean': {
      description: t('How the losses of accumulated batches are averaged.'),
      values: {
        tokens: t('one mean over all trained tokens of the step'),
        micro_batches: t('the mean of the means of the batches, as the classic Trainer'),
      },
    },
    'training.learning_rate': {
      description: t('Largest step size; usually 5e-5 to 5e-4 for LoRA, 5e-6 to 5e-5 for full fine-tuning.'),
    },
    'training.lr_scheduler_type': {
      description: t('How the learning rate goes on after warm-up.'),
      values: {
        cosine: t('falls to 0 along half a cosine'),
        linear: t('falls to 0 in a straight line'),
        constant: t('stays as it is'),
      },
    },
    'training.warmup_steps': {
      description: t('Steps in which the learning rate rises from 0; usually 0 to 100.'),
    },
    'training.warmup_ratio': {
      description: t('The same as a share of all steps, used where warmup_steps is 0; usually 0 to 0.1.'),
    },
    'training.shuffle': { description: t('Take the rows in a new random order in every epoch.') },
    'training.gradient_checkpointing': {
      description: t(
        'Compute the inside of each layer again for the gradients instead of keeping it: much less memory, about a third more time.',
      ),
    },
    'training.packing': {
      description: t(
        'Put several short rows into one sequence of max_length, so that no time goes into padding.',
      ),
    },
    'training.group_by_length': {
      description: t('Put rows of similar length into one batch, so that less time goes into padding.'),
    },
    'training.seed': {
      description: t('Start of the random numbers; the same seed on the same machine repeats the run.'),
    },
  };
}

function optimiserKeys(t: Translate): Record<string, KeyText> {
  return {
    'training.weight_decay': {
      description: t('How strongly AdamW pulls weights towards 0; usually 0 to 0.1.'),
    },
    'training.weight_decay_on': {
      description: t('What weight decay applies to.'),
      values: {
        matrices: t('matrices only, not biases and norms'),
        all: t('everything that is trained'),
      },
    },
    'training.adam_beta1': { description: t('Decay of the mean of the gradients in AdamW; usually 0.9.') },
    'training.adam_beta2': {
      description: t('Decay of the mean of the squared gradients in AdamW; usually 0.95 to 0.999.'),
    },
    'training.adam_epsilon': { description: t('Keeps AdamW from dividing by 0; usually 1e-8.') },
    'training.max_grad_norm': {
      description: t('Longer gradients are shortened to this norm; usually 1, 0 switches it off.'),
    },
  };
}

function watchKeys(t: Translate): Record<string, KeyText> {
  return {
    'evaluation.every_steps': {
      description: t('Steps between evaluations; 0 never evaluates.'),
    },
    'evaluation.early_stopping_patience': {
      description: t('Stop after this many evaluations without a lower loss; null never stops early.'),
    },
    'checkpoints.every_steps': {
      description: t('Steps between checkpoints; 0 saves only when the run is stopped.'),
    },
    'checkpoints.keep_last': {
      description: t('How many checkpoints are kept; older ones are removed. Usually 1 to 3.'),
    },
  };
}
