/** What is wrong with a file in torch's format, as an error. */
import { GlmError, type TensorFault, type TorchFileFault } from '../../protocol/errors';

export function torchFault(file: string, reason: TorchFileFault, detail = ''): GlmError {
  return new GlmError('checkpoint.badTorchFile', { file, reason, detail: shorten(detail) });
}

export function torchTensorFault(file: string, tensor: string, reason: TensorFault, detail = ''): GlmError {
  return new GlmError('checkpoint.badTensor', { file, tensor: shorten(tensor), reason, detail });
}

/** Names come from the file: keep a message readable whatever they hold. */
function shorten(name: string): string {
  const printable = JSON.stringify(name.slice(0, 400)).slice(1, -1);
  return printable.length <= 200 ? printable : `${printable.slice(0, 200)}…`;
}
