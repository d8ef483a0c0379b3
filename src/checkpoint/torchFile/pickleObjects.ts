/** The few Python objects a state dict is made of. Every other one is refused by name. */
import { torchFault } from './fault';
import {
  PickledDict,
  PickledGlobal,
  PickledStorage,
  PickledTensor,
  PickledTuple,
  type PickleValue,
} from './pickleValues';
import { ORDERED_DICT, REBUILD_PARAMETER, REBUILD_TENSOR, storageDType } from './storageTypes';

const FUNCTIONS: ReadonlySet<string> = new Set([ORDERED_DICT, REBUILD_PARAMETER, REBUILD_TENSOR]);
const MAX_RANK = 16;

/** A global by its full name, `module.object`. */
export function resolveGlobal(name: string, file: string): PickledGlobal {
  if (!FUNCTIONS.has(name) && storageDType(name) === undefined) throw torchFault(file, 'global', name);
  return new PickledGlobal(name);
}

/** `('storage', class, key, device, number of values)`; the device it was saved from does not matter. */
export function resolveStorage(id: PickleValue, file: string): PickledStorage {
  const [tag, type, key, device, elements] = id instanceof PickledTuple ? id.items : [];
  const dtype = type instanceof PickledGlobal ? storageDType(type.name) : undefined;
  const isStorage =
    tag === 'storage' && dtype !== undefined && typeof key === 'string' && typeof device === 'string';
  if (!isStorage || !isCount(elements)) throw torchFault(file, 'pickle', 'storage');
  return new PickledStorage({ key, dtype, elements });
}

/** What calling `callable` with `args` gives in Python, for the three functions that are known. */
export function reduce(callable: PickleValue, args: PickleValue, file: string): PickleValue {
  if (!(callable instanceof PickledGlobal && args instanceof PickledTuple)) {
    throw torchFault(file, 'pickle', 'REDUCE');
  }
  switch (callable.name) {
    case ORDERED_DICT:
      if (args.items.length > 0) throw torchFault(file, 'pickle', ORDERED_DICT);
      return new PickledDict(true);
    case REBUILD_TENSOR:
      return rebuildTensor(args.items, file);
    case REBUILD_PARAMETER: {
      const [tensor] = args.items;
      if (!(tensor instanceof PickledTensor)) throw torchFault(file, 'pickle', REBUILD_PARAMETER);
      return tensor;
    }
    default:
      throw torchFault(file, 'global', callable.name);
  }
}

/** `(storage, storage_offset, size, stride, requires_grad, backward_hooks[, metadata])` */
function rebuildTensor(args: readonly PickleValue[], file: string): PickledTensor {
  const [source, offset, size, stride] = args;
  const shape = counts(size);
  const strides = counts(stride);
  const isSound = source instanceof PickledStorage && isCount(offset) && shape && strides;
  if (!isSound || shape.length !== strides.length) throw torchFault(file, 'pickle', REBUILD_TENSOR);
  return new PickledTensor(source.storage, offset, shape, strides);
}

function counts(value: PickleValue | undefined): number[] | null {
  if (!(value instanceof PickledTuple) || value.items.length > MAX_RANK) return null;
  return value.items.every(isCount) ? (value.items as number[]) : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
