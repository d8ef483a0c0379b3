import { GlmError } from '../../protocol/errors';

/** The parts of a packed matrix do not belong together. `detail`: the part and what it is. */
export function packedFault(file: string, tensor: string, detail: string): GlmError {
  return new GlmError('checkpoint.badTensor', {
    file,
    tensor,
    reason: 'packed',
    detail: detail.slice(0, 200),
  });
}
