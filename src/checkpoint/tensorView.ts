/** Tensors of a reader under other names. */
import { GlmError } from '../protocol/errors';
import type { TensorEntry, TensorReader } from './types';

/**
 * Some tensors of `reader` under names of their own. Closing the view closes the reader.
 * @param names new name -> name in the files; what is not there is left out
 */
export function renameTensors(reader: TensorReader, names: ReadonlyMap<string, string>): TensorReader {
  const tensors = new Map<string, TensorEntry>();
  for (const [name, stored] of names) {
    const entry = reader.tensors.get(stored);
    if (entry) tensors.set(name, { ...entry, name });
  }
  const stored = (name: string): string => {
    const found = names.get(name);
    if (found === undefined) throw new GlmError('checkpoint.noTensor', { file: '', tensor: name });
    return found;
  };
  return {
    tensors,
    readInto: (name, target) => reader.readInto(stored(name), target),
    readFloat32: (name) => reader.readFloat32(stored(name)),
    readSlice: (name, byteOffset, target) => reader.readSlice(stored(name), byteOffset, target),
    descriptor: (name) => reader.descriptor(stored(name)),
    close: () => reader.close(),
  };
}
