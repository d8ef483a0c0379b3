import type { CheckpointErrors, TorchFileFault } from '../../protocol/errors';
import type { Translate } from '../translate';

/** Sentence for a file in torch's format. */
export function torchFileFault(t: Translate, args: CheckpointErrors['checkpoint.badTorchFile']): string {
  switch (args.reason) {
    case 'gitLfs':
      return t('{path} is only a Git LFS pointer; the file itself was not downloaded.', { path: args.file });
    case 'legacy':
      return t('{file} has the format that torch.save wrote before torch 1.6, which is not read.', {
        ...args,
      });
    case 'script':
      return t('{file} is a TorchScript program, not a file of weights.', { ...args });
    case 'notZip':
      return t('{file} is not a file of weights that torch.save wrote.', { ...args });
    case 'noDirectory':
      return t('{file} is incomplete: the directory at its end is missing.', { ...args });
    case 'directory':
      return t('{file} is damaged: its directory does not fit its content. {detail}', { ...args }).trimEnd();
    case 'duplicate':
      return t('{file}: the member {detail} occurs twice.', { ...args });
    case 'overlap':
      return t('{file}: the member {detail} overlaps another one.', { ...args });
    case 'compressed':
      return t('{file}: the member {detail} is compressed, which torch.save never does.', { ...args });
    case 'encrypted':
      return t('{file}: the member {detail} is encrypted.', { ...args });
    case 'byteOrder':
      return t('{file} was written on a machine with another byte order ({detail}).', { ...args });
    case 'noStateDict':
      return t('{file} is a zip archive, but not one that torch.save wrote.', { ...args });
    case 'pickle':
      return t('{file} is damaged: its list of tensors makes no sense ({detail}).', { ...args });
    case 'opcode':
      return t('{file} was refused: its list of tensors uses the operation {detail}, which no list needs.', {
        ...args,
      });
    case 'global':
      return t(
        '{file} was refused: it asks for {detail}, which a file of weights has no need of. Nothing was run.',
        {
          ...args,
        },
      );
    case 'notTensors':
      return args.detail
        ? t('{file} is not a plain list of tensors: {detail} is something else.', { ...args })
        : t('{file} is not a plain list of tensors.', { ...args });
    case 'limit':
      return t('{file} was refused: its directory or list of tensors is too large.', { ...args });
  }
}

/** What to do where downloading the file again would not help; null where it would. */
export function torchFileRemedy(t: Translate, reason: TorchFileFault): string | null {
  switch (reason) {
    case 'gitLfs':
      return t('Run "git lfs pull" in the model directory, or download the file from the model page.');
    case 'global':
    case 'opcode':
      return t(
        'Do not load this file elsewhere either unless you trust its source; look for safetensors files.',
      );
    case 'legacy':
    case 'byteOrder':
      return t('Load it with torch.load(file, weights_only=True) and save the tensors as safetensors.');
    case 'script':
    case 'noStateDict':
    case 'notTensors':
      return t("Choose the model's own weights: the state dict that save_pretrained writes.");
    default:
      return null;
  }
}
