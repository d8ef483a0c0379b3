import type { EngineErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

export const engineErrors: ErrorTable<EngineErrors> = {
  'engine.notInstalled': (t, args) => ({
    message: t('The training engine is not installed in {path}.', { ...args }),
    remedy: t(
      'Run "chatglm-finetune install-engine", or "Install Engine" from the command palette. Small models also run without it: --engine wasm, or the setting glmtune.engine.variant.',
    ),
  }),
  'engine.damaged': (t, args) => ({
    message: t('The engine file {path} is damaged.', { ...args }),
    remedy: t('Install the engine again with "chatglm-finetune install-engine --force".'),
  }),
  'engine.loadFailed': (t, args) => ({
    message: t('The engine library in {path} could not be loaded: {detail}', { ...args }),
    remedy: t('Run "chatglm-finetune doctor". It names what is missing on this machine.'),
  }),
  'engine.runFailed': (t, args) => ({
    message: t('The engine stopped with an error: {detail}', { ...args }),
    remedy: t('Run "chatglm-finetune doctor". If it finds nothing, report the text above.'),
  }),
  'engine.outOfMemory': (t, args) => ({
    message: t('There was not enough memory: {detail}', { ...args }),
    remedy: t(
      'Set training.gradient_checkpointing, quantization (with LoRA or P-Tuning v2) or a smaller dataset.max_length.',
    ),
  }),
  'engine.portableTooLarge': (t, args) => ({
    message: t('{path} takes {needed} GB in float32, and the portable engine has {limit} GB at most.', {
      ...args,
    }),
    remedy: t(
      'Use a smaller model, or Linux on x86-64 (Remote-SSH, WSL or a container): there libtensorflow computes, without this limit.',
    ),
  }),
  'engine.noTrace': (t) => ({
    message: t('A profile needs libtensorflow; the portable engine does not say where its time goes.'),
    remedy: t('Use Linux on x86-64 (Remote-SSH, WSL or a container), where libtensorflow computes.'),
  }),
  'engine.tooLong': (t, args) => ({
    message: t('{tokens} tokens are more than the {limit} positions of the model.', { ...args }),
    remedy: t('Shorten the text, or start a new conversation.'),
  }),
  'engine.noTokens': (t) => ({
    message: t('There is no token to start from.'),
    remedy: t('Give at least one token in "input_ids", or a text.'),
  }),
  'engine.badToken': (t, args) => ({
    message: t('Token id {id} is outside the vocabulary of {vocabulary} ids.', { ...args }),
    remedy: t('Check that the ids were made with the tokenizer of this model.'),
  }),
  'engine.noContextEnd': (t, args) => ({
    message:
      args.missing === 'sop'
        ? t('A row has no <sop> (token id {id}): ChatGLM-6B cannot tell context and answer apart.', {
            ...args,
          })
        : t(
            'A row has neither [gMASK] (token id {id}) nor [MASK]: ChatGLM-6B finds no place for the answer.',
            {
              ...args,
            },
          ),
    remedy: t('End the context with [gMASK] and <sop>, as the tokenizer of the model does.'),
  }),
  'engine.notNumbers': (t) => ({
    message: t('The model computes values that are not numbers (NaN): it cannot answer.'),
    remedy: t('Its weights or the adapter are damaged: download or train them again, or try float32.'),
  }),
  'engine.alreadyQuantised': (t, args) => ({
    message: t('The weights of {path} are quantised already: there is nothing to pack to NF4.', { ...args }),
    remedy: t('Leave quantization away: adapters are trained on the weights as they are stored.'),
  }),
  'engine.packedTrainable': (t, args) => ({
    message: t('The weights of {path} are quantised and cannot be trained in full.', { ...args }),
    remedy: t('Choose LoRA or P-Tuning v2, or take the checkpoint in float16 or bfloat16.'),
  }),
  'engine.badResult': (t, args) => ({
    message: t('After step {step} the model computes values that are not finite. The result was not saved.', {
      ...args,
    }),
    remedy: t('Start a new run with a lower training.learning_rate.'),
  }),
  'engine.nonFinite': (t, args) => ({
    message: t('{what} is not a finite number in step {step} (dataset lines {rows}).', { ...args }),
    // Nothing has been trained before the first step: the learning rate is not to blame.
    remedy:
      args.step === 1
        ? t('Look at these lines. If they are sound, the weights may be damaged: download the model again.')
        : t(
            'Look at these lines, then start a new run with a lower training.learning_rate. Its "adapter" may be the last checkpoint.',
          ),
  }),
  'engine.float16Overflow': (t, args) => ({
    message: t(
      'float16 is too narrow for step {step} (dataset lines {rows}): values overflow at every scale.',
      {
        ...args,
      },
    ),
    remedy: t('Set training.dtype to bfloat16 or float32 and start a new run.'),
  }),
  'engine.badWeights': (t, args) => ({
    message: t('Step {step} made weights that are not finite numbers. They were not saved as a checkpoint.', {
      ...args,
    }),
    remedy: t(
      'Start a new run with a lower training.learning_rate. Its "adapter" may be the last checkpoint.',
    ),
  }),
};
