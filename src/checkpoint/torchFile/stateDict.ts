/** A pickled state dict as tensors of a file. */
import { DTYPE_BYTES } from '../dtype';
import type { ByteRange } from '../tensorFiles';
import type { TensorEntry } from '../types';
import { torchFault, torchTensorFault } from './fault';
import { contiguousStrides } from './pickleWriter';
import { PickledDict, PickledTensor, type PickleValue, type Storage } from './pickleValues';

/**
 * @param value what the pickle holds; must be a flat dict of tensors
 * @param storage where the values of a storage are, by its key; undefined where the archive has no such member
 * @returns tensors in the order of the dict; throws GlmError naming the tensor that cannot be
 */
export function stateDictEntries(
  value: PickleValue,
  file: string,
  storage: (key: string) => ByteRange | undefined,
): TensorEntry[] {
  if (!(value instanceof PickledDict)) throw torchFault(file, 'notTensors');
  const names = new Set<string>();
  return value.pairs.map(([name, tensor]) => {
    if (typeof name !== 'string') throw torchFault(file, 'notTensors');
    if (!(tensor instanceof PickledTensor)) throw torchFault(file, 'notTensors', name);
    if (names.has(name)) throw torchTensorFault(file, name, 'duplicate');
    names.add(name);
    return tensorEntry(name, tensor, file, storage(tensor.storage.key));
  });
}

function tensorEntry(
  name: string,
  tensor: PickledTensor,
  file: string,
  range: ByteRange | undefined,
): TensorEntry {
  const { dtype, elements, key } = tensor.storage;
  if (!range) throw torchTensorFault(file, name, 'storage', key.slice(0, 40));
  checkStorage(tensor.storage, range, file, name);
  const size = DTYPE_BYTES[dtype];
  const count = tensor.shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(count * size)) throw torchTensorFault(file, name, 'shape');
  if (count > 0 && !isContiguous(tensor)) throw torchTensorFault(file, name, 'strides');
  if (tensor.offset + count > elements) throw torchTensorFault(file, name, 'offsets');
  return {
    name,
    dtype,
    shape: [...tensor.shape],
    file,
    offset: range.offset + size * tensor.offset,
    byteLength: size * count,
  };
}

function checkStorage({ dtype, elements }: Storage, range: ByteRange, file: string, name: string): void {
  const expected = elements * DTYPE_BYTES[dtype];
  if (range.bytes !== expected) throw torchTensorFault(file, name, 'size', `${range.bytes} / ${expected}`);
}

/** Whether the values lie one after the other in row-major order; the stride of an axis of length 1 does not matter. */
function isContiguous({ shape, strides }: PickledTensor): boolean {
  const expected = contiguousStrides(shape);
  return shape.every((length, axis) => length === 1 || strides[axis] === expected[axis]);
}
