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
    ...loraKeys(t),
    ...prefixKeys(t),
    ...quantizationKeys(t),
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
        'Directory of the base model, with config.json, weights (safetensors or .bin) and tokenizer files. Relative to this file.',
      ),
    },
    adapter: {
      description: t(
        'Adapter directory to start from instead of a fresh adapter, of the same method; its own sizes count. Null starts anew.',
      ),
    },
    output_dir: {
      description: t('Directory of the run; null makes runs/<name> beside this file.'),
    },
    dataset: { description: t('The data to train on, and how it is cut.') },
    method: {
      description: t('What is trained: a small adapter (LoRA or P-Tuning v2) or the whole model.'),
    },
    quantization: {
      description: t(
        'How the base weights are stored while an adapter is trained; null as they are. With "nf4" LoRA becomes QLoRA.',
      ),
    },
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
    'dataset.template': {
      description: t('Prompt format; null takes the one that the model was made for.'),
      values: {
        chatglm: t('ChatGLM-6B: "[Round 0]", question and answer in Chinese'),
        chatglm2: t('ChatGLM2-6B: "[Round 1]", question and answer in Chinese'),
        chatglm3: t('ChatGLM3-6B: role tokens such as <|user|>'),
        glm4: t('GLM-4-9B: role tokens without a space after the line break'),
        jinja: t('the chat template that comes with the model'),
      },
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
    'method.ptuning_v2': {
      description: t(
        'P-Tuning v2: trains a prefix that every layer reads before the text; the smallest result, at a high learning rate.',
      ),
    },
    'method.full': {
      description: t('Full fine-tuning: trains every weight; needs several times the memory.'),
    },
  };
}

function loraKeys(t: Translate): Record<string, KeyText> {
  return {
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
        'Layers that get an adapter: null for the attention projections, "all-linear" for every linear layer of the blocks (learns most), or a list of names.',
      ),
    },
    'method.use_rslora': {
      description: t('Scale by lora_alpha / sqrt(r) instead, which keeps large ranks effective.'),
    },
    'method.use_dora': {
      description: t(
        'DoRA: also trains the length of every row of the weight; often better at small ranks, and slower.',
      ),
    },
    'method.init_lora_weights': {
      description: t('What the LoRA matrices start as.'),
      values: {
        default: t('one random, the other zero: the model starts unchanged'),
        pissa: t('the largest singular directions of the weight, which are taken out of it: learns faster'),
      },
    },
    'method.loraplus_lr_ratio': {
      description: t(
        'LoRA+: how many times faster the B matrices learn than the A matrices; 1 is plain LoRA, usually 2 to 16.',
      ),
    },
  };
}

function prefixKeys(t: Translate): Record<string, KeyText> {
  return {
    'method.variant': {
      description: t("Whose prefix this is; null takes ChatGLM's own where the model has one, else PEFT's."),
      values: {
        thudm: t("ChatGLM's own: the positions of the text count from 0"),
        peft: t("PEFT's: the positions of the text count from behind the prefix"),
      },
    },
    'method.pre_seq_len': {
      description: t('Length of the prefix in tokens; usually 64 to 256.'),
    },
    'method.prefix_projection': {
      description: t(
        'Make the prefix with a small network instead of training it directly; steadier, with many more numbers to train.',
      ),
    },
    'method.encoder_hidden_size': {
      description: t("Inner width of that network; null takes the model's own."),
    },
    'method.prefix_dropout': {
      description: t(
        "Share of the prefix set to zero at random while training; usually 0 to 0.1, which is what ChatGLM's own training used.",
      ),
    },
  };
}

function quantizationKeys(t: Translate): Record<string, KeyText> {
  return {
    'quantization.type': {
      description: t(
        '"nf4": 4 bits a weight in the linear layers, about a quarter of the memory of 16 bits, at a small loss of precision.',
      ),
    },
    'quantization.double_quant': {
      description: t('Also store the scales in 8 bits, which saves another 0.4 bits a weight.'),
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
        float16: t('half the memory; the loss is scaled so that small gradients survive'),
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
      description: t(
        'Largest step size; usually 5e-5 to 5e-4 for LoRA, 5e-3 to 3e-2 for P-Tuning v2, 5e-6 to 5e-5 for full fine-tuning. Null takes 1e-4, for P-Tuning v2 2e-2.',
      ),
    },
    'training.lr_scheduler_type': {
      description: t('How the learning rate goes on after warm-up.'),
      values: {
        cosine: t('falls to 0 along half a cosine'),
        linear: t('falls to 0 in a straight line'),
        constant: t('stays as it is'),
        constant_with_warmup: t('the same under its name in transformers'),
        cosine_with_restarts: t('several cosines one after the other, each from the top'),
        polynomial: t('falls to lr_end along a power of the remaining time'),
        inverse_sqrt: t('falls with the square root of the step, never to 0'),
      },
    },
    'training.lr_num_cycles': {
      description: t('How many cosines "cosine_with_restarts" makes; usually 1 to 5.'),
    },
    'training.lr_power': {
      description: t('Power of "polynomial"; usually 1 (a straight line) to 3.'),
    },
    'training.lr_end': {
      description: t('Where "polynomial" ends; usually 0 to a tenth of the learning rate.'),
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
    'training.auto_batch_size': {
      description: t(
        'When memory runs out, go on with half the batch_size and twice the gradient_accumulation_steps instead of failing.',
      ),
    },
    'training.neftune_noise_alpha': {
      description: t(
        'Noise added to the embeddings while training (NEFTune), against learning by heart; usually 5 to 15, 0 for none.',
      ),
    },
    'training.label_smoothing_factor': {
      description: t(
        'Share of the target that is spread over all other tokens; usually 0 to 0.1. The reported training loss rises with it.',
      ),
    },
    'training.seed': {
      description: t('Start of the random numbers; the same seed on the same machine repeats the run.'),
    },
  };
}

function optimiserKeys(t: Translate): Record<string, KeyText> {
  return {
    'training.optimizer': {
      description: t('What turns gradients into steps.'),
      values: {
        adamw: t('the usual one; two numbers of memory for every trained weight'),
        lion: t('one number of memory; wants a learning rate 3 to 10 times smaller'),
        adafactor: t('almost no memory; for full fine-tuning of large models'),
      },
    },
    'training.weight_decay': {
      description: t('How strongly the optimiser pulls weights towards 0; usually 0 to 0.1.'),
    },
    'training.weight_decay_on': {
      description: t('What weight decay applies to.'),
      values: {
        matrices: t('matrices only, not biases and norms'),
        all: t('everything that is trained'),
      },
    },
    'training.adam_beta1': {
      description: t('Decay of the mean of the gradients in AdamW and Lion; usually 0.9.'),
    },
    'training.adam_beta2': {
      description: t(
        'Decay of the mean of the squared gradients in AdamW, of the momentum in Lion; usually 0.95 to 0.999.',
      ),
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
      description: t(
        'Stop after this many evaluations without a lower loss, and keep the best weights; null never stops early.',
      ),
    },
    'evaluation.load_best_at_end': {
      description: t('Keep the weights of the evaluation with the lowest loss instead of the last ones.'),
    },
    'checkpoints.every_steps': {
      description: t('Steps between checkpoints; 0 saves only when the run is stopped.'),
    },
    'checkpoints.keep_last': {
      description: t('How many checkpoints are kept; older ones are removed. Usually 1 to 3.'),
    },
  };
}
