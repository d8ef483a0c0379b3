import type { CheckpointErrors } from '../../protocol/errors';
import type { Translate } from '../translate';

/** Sentence for one key of a configuration. */
export function configFault(t: Translate, args: CheckpointErrors['checkpoint.badConfig']): string {
  switch (args.reason) {
    case 'missing':
      return t('{path} lacks the key {key}.', { ...args });
    case 'integer':
      return t('{path}: {key} is {value}; it must be a whole number above zero and of a sane size.', {
        ...args,
      });
    case 'boolean':
      return t('{path}: {key} is {value}; it must be true or false.', { ...args });
    case 'number':
      return t('{path}: {key} is {value}; it must be a number above zero.', { ...args });
    case 'fraction':
      return t('{path}: {key} is {value}; it must be a number from 0 to below 1.', { ...args });
    case 'string':
      return t('{path}: {key} is {value}; it must be text.', { ...args });
    case 'list':
      return t('{path}: {key} is {value}; it must be a list of names.', { ...args });
    case 'divides':
      return t('{path}: {key} is {value}; the number of attention heads must be a multiple of it.', {
        ...args,
      });
    case 'multipleOf4':
      return t('{path}: {key} is {value}; it must be a multiple of 4.', { ...args });
    case 'multipleOfHeads':
      return t('{path}: {key} is {value}; it must be a multiple of the number of attention heads.', {
        ...args,
      });
    case 'rotary':
      return t('{path}: {key} is {value}; with it the channels that rotate are not pairs.', { ...args });
    case 'object':
      return t('{path}: {key} is {value}; it must be an object.', { ...args });
    case 'unsupported':
      return t('{path}: {key} is {value}, which is not supported.', { ...args });
    case 'token':
      return t('{path}: {key} is {value}; it must be a token id of the model.', { ...args });
  }
}

/** Sentence for the header of a safetensors file. */
export function headerFault(t: Translate, args: CheckpointErrors['checkpoint.badHeader']): string {
  switch (args.reason) {
    case 'short':
      return t('{file} is too short to be a safetensors file.', { ...args });
    case 'gitLfs':
      return t('{path} is only a Git LFS pointer; the file itself was not downloaded.', { path: args.file });
    case 'length':
      return t('{file} is not a safetensors file: the length of its header is impossible.', { ...args });
    case 'json':
      return t('{file} is damaged: its header is not a JSON object. {detail}', { ...args }).trimEnd();
    case 'metadata':
      return t('{file} is damaged: __metadata__ in its header must hold text only.', { ...args });
    case 'trailing':
      return t('{file} is damaged: {detail} bytes at its end belong to no tensor.', { ...args });
  }
}

/** Sentence for one tensor of a safetensors file. */
export function tensorFault(t: Translate, args: CheckpointErrors['checkpoint.badTensor']): string {
  switch (args.reason) {
    case 'duplicate':
      return t('{file}: the tensor {tensor} occurs twice.', { ...args });
    case 'dtype':
      return t('{file}: the tensor {tensor} has the unknown number format {detail}.', { ...args });
    case 'shape':
      return t('{file}: the shape of the tensor {tensor} is impossible.', { ...args });
    case 'offsets':
      return t('{file}: the place of the tensor {tensor} is impossible.', { ...args });
    case 'size':
      return t('{file}: the size of the tensor {tensor} does not follow from its shape ({detail} bytes).', {
        ...args,
      });
    case 'overlap':
      return t('{file}: the tensor {tensor} overlaps another one.', { ...args });
    case 'gap':
      return t('{file}: there is a gap in front of the tensor {tensor}.', { ...args });
    case 'notFloat':
      return t('{file}: the tensor {tensor} holds {detail} values; floating-point ones are needed.', {
        ...args,
      });
    case 'nonFinite':
      return t('{file}: the tensor {tensor} holds a value that is not a number or infinite.', { ...args });
    case 'strides':
      return t('{file}: the values of the tensor {tensor} do not lie in the order of its rows.', { ...args });
    case 'storage':
      return t('{file}: the values of the tensor {tensor} are missing (storage {detail}).', { ...args });
    case 'packed':
      return t('{file}: the parts of the quantised tensor {tensor} do not fit together: {detail}', {
        ...args,
      });
  }
}

/** Sentence that says what a model is, and that it cannot be used. */
export function unsupportedArchitecture(
  t: Translate,
  args: CheckpointErrors['checkpoint.unsupportedArchitecture'],
): string {
  switch (args.architecture) {
    case 'glm-2021':
      return t('{path} describes a GLM model of 2021 (such as GLM-10B), which is not a ChatGLM.', {
        ...args,
      });
    case 'vision':
      return t('{path} describes a model for images (such as GLM-4V), which cannot be used.', { ...args });
    case 'foreign':
      return args.modelType
        ? t('{path} describes a model of the type "{modelType}", which is not a ChatGLM or GLM-4.', {
            ...args,
          })
        : t('{path} does not describe a ChatGLM or GLM-4 model.', { ...args });
  }
}
