import type { CheckpointErrors } from '../../protocol/errors';
import type { CodedFinding } from '../../protocol/modelReport';
import { describeCodedFinding } from '../codedFindings';
import type { ErrorTable } from '../errors';
import { configFault, headerFault, tensorFault, unsupportedArchitecture } from './checkpointFaults';
import { describeModelProblems } from './modelProblems';
import { torchFileFault, torchFileRemedy } from './torchFileFaults';
import type { Translate } from '../translate';

const chooseDirectory = (t: Translate): string =>
  t('Choose the directory that holds config.json and the weights.');
const downloadAgain = (t: Translate): string =>
  t('Download the file again and compare its size with the source, or choose another model directory.');

export const checkpointErrors: ErrorTable<CheckpointErrors> = {
  'checkpoint.notFound': (t, args) => ({
    message: t('There is no model directory at {path}.', { ...args }),
    remedy: chooseDirectory(t),
  }),
  'checkpoint.noConfig': (t, args) => ({
    message: t('{path} has no config.json.', { ...args }),
    remedy: chooseDirectory(t),
  }),
  'checkpoint.noWeights': (t, args) => ({
    message: t(
      '{path} has no weights: neither model.safetensors nor pytorch_model.bin, nor an index of shards.',
      {
        ...args,
      },
    ),
    remedy: t('Download the weights again, or choose another model directory.'),
  }),
  'checkpoint.missingFile': (t, args) => ({
    message: t('The file {path} does not exist.', { ...args }),
    remedy: t('Check the path, or download the file again.'),
  }),
  'checkpoint.notAFile': (t, args) => ({
    message: t('{path} is not an ordinary file.', { ...args }),
    remedy: t('Put the real file in its place.'),
  }),
  'checkpoint.badJson': (t, args) => ({
    message: args.detail
      ? t('{path} is not valid JSON: {detail}', { ...args })
      : t('{path} must hold a JSON object.', { ...args }),
    remedy: t('Download the file again, or correct it.'),
  }),
  'checkpoint.badConfig': (t, args) => ({
    message: configFault(t, args),
    remedy: t('Restore the original file of the model, or correct this key.'),
  }),
  'checkpoint.unsupportedArchitecture': (t, args) => ({
    message: unsupportedArchitecture(t, args),
    remedy: t('Choose a checkpoint of ChatGLM-6B, ChatGLM2, ChatGLM3, GLM-4-9B, GLM-4-0414 or GLM-Edge.'),
  }),
  'checkpoint.badIndex': (t, args) => ({
    message: t('The index {path} cannot be used: {detail}', { ...args }),
    remedy: t('Download the file again. Its weight_map names one weight file beside it for each tensor.'),
  }),
  'checkpoint.missingShard': (t, args) => ({
    message: t('The weight file {shard} is missing; {path} names it.', { ...args }),
    remedy: t('Download the missing file into the same directory.'),
  }),
  'checkpoint.notInShard': (t, args) => ({
    message: t('{path} says that {tensor} is in {shard}, but it is not there.', { ...args }),
    remedy: t('The files belong to different versions of the model: download all of them again.'),
  }),
  'checkpoint.truncated': (t, args) => ({
    message: t('{file} is incomplete: it has {bytes} bytes and needs {expected}.', { ...args }),
    remedy: downloadAgain(t),
  }),
  'checkpoint.badHeader': (t, args) => ({
    message: headerFault(t, args),
    remedy:
      args.reason === 'gitLfs'
        ? t('Run "git lfs pull" in the model directory, or download the file from the model page.')
        : downloadAgain(t),
  }),
  'checkpoint.badTensor': (t, args) => ({
    message: tensorFault(t, args),
    remedy:
      args.reason === 'strides'
        ? t('Save the model again, with contiguous() called on this tensor, or as safetensors.')
        : downloadAgain(t),
  }),
  'checkpoint.badTorchFile': (t, args) => ({
    message: torchFileFault(t, args),
    remedy: torchFileRemedy(t, args.reason) ?? downloadAgain(t),
  }),
  'checkpoint.noTensor': (t, args) => ({
    message: t('{file} does not hold the tensor {tensor}.', { ...args }),
    remedy: downloadAgain(t),
  }),
  'checkpoint.doesNotFit': (t, args) => ({
    message: describeModelProblems(t, args),
    remedy:
      args.of === 'adapter'
        ? t('Use the adapter with the model it was trained on.')
        : t(
            'Make sure that config.json and all weight files come from the same model, and download them again.',
          ),
  }),
  'checkpoint.tokenizerDoesNotFit': (t, args) => {
    const findings = JSON.parse(args.findings) as CodedFinding[];
    const texts = findings.map((finding) => describeCodedFinding(t, finding));
    const lines = [t('Tokenizer and model in {path} do not belong together:', { path: args.path })];
    return {
      message: [...lines, ...texts.map(({ message }) => `  ${message}`)].join('\n'),
      remedy: [...new Set(texts.map(({ remedy }) => remedy))].join(' '),
    };
  },
  'checkpoint.noAdapter': (t, args) => ({
    message: t(
      'There is no adapter at {path}: adapter_config.json with adapter_model.safetensors or .bin is needed, or weights with a prefix encoder.',
      { ...args },
    ),
    remedy: t('Choose the directory of an adapter, such as the "adapter" directory of a finished run.'),
  }),
  'checkpoint.unsupportedAdapter': (t, args) => ({
    message: t('The adapter {path} sets {key} to {value}, which is not supported.', { ...args }),
    remedy: t(
      'Use a LoRA or DoRA adapter that trains no biases and no further modules, or PEFT prefix tuning.',
    ),
  }),
  'checkpoint.unknownTarget': (t, args) => ({
    message: t('{path} names target modules that the model does not have: {target}.', { ...args }),
    remedy: t('Use the adapter with the model it was trained on, or correct target_modules.'),
  }),
};
