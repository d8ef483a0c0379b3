/** The pickle of a state dict, protocol 2, with the opcodes and objects that `torch.save` itself uses. */
import { Opcode, ORDERED_DICT, REBUILD_TENSOR, storageClass } from './storageTypes';
import type { StoredDType } from '../types';

/** One tensor, row-major, filling a storage of its own. */
export interface PickledTensor {
  name: string;
  dtype: StoredDType;
  shape: readonly number[];
  /** Name of the member of the archive that holds the values. */
  storageKey: string;
}

/** A pickled `dict` of tensors on the CPU. */
export function pickleStateDict(tensors: readonly PickledTensor[]): Uint8Array {
  const pickle = new PickleBuilder();
  pickle.code(Opcode.PROTO, 2);
  pickle.code(Opcode.EMPTY_DICT);
  pickle.code(Opcode.MARK);
  for (const tensor of tensors) {
    pickle.text(tensor.name);
    writeTensor(pickle, tensor);
  }
  pickle.code(Opcode.SETITEMS);
  pickle.code(Opcode.STOP);
  return pickle.bytes();
}

/** `_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks)` */
function writeTensor(pickle: PickleBuilder, { dtype, shape, storageKey }: PickledTensor): void {
  pickle.global(REBUILD_TENSOR);
  pickle.code(Opcode.MARK);
  pickle.code(Opcode.MARK);
  pickle.text('storage');
  pickle.global(`torch.${storageClass(dtype)}`);
  pickle.text(storageKey);
  pickle.text('cpu');
  pickle.integer(shape.reduce((product, size) => product * size, 1));
  pickle.code(Opcode.TUPLE);
  pickle.code(Opcode.BINPERSID);
  pickle.integer(0);
  pickle.tuple(shape);
  pickle.tuple(contiguousStrides(shape));
  pickle.code(Opcode.NEWFALSE);
  pickle.global(ORDERED_DICT);
  pickle.code(Opcode.EMPTY_TUPLE);
  pickle.code(Opcode.REDUCE);
  pickle.code(Opcode.TUPLE);
  pickle.code(Opcode.REDUCE);
}

/** Elements from one index to the next along each axis of a row-major tensor. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1] * Math.max(1, shape[axis + 1]);
  }
  return strides;
}

class PickleBuilder {
  private readonly parts: Buffer[] = [];

  code(...codes: number[]): void {
    this.parts.push(Buffer.from(codes));
  }

  text(text: string): void {
    const encoded = Buffer.from(text);
    const head = Buffer.alloc(5);
    head.writeUInt8(Opcode.BINUNICODE);
    head.writeUInt32LE(encoded.byteLength, 1);
    this.parts.push(head, encoded);
  }

  /** `name` is module and object, joined by the last dot. */
  global(name: string): void {
    const dot = name.lastIndexOf('.');
    this.code(Opcode.GLOBAL);
    this.parts.push(Buffer.from(`${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`));
  }

  /** A whole number from 0 to 2^53 - 1. */
  integer(value: number): void {
    const buffer = Buffer.alloc(10);
    if (value <= 0x7fffffff) {
      buffer.writeUInt8(Opcode.BININT);
      buffer.writeInt32LE(value, 1);
      this.parts.push(buffer.subarray(0, 5));
      return;
    }
    buffer.writeUInt8(Opcode.LONG1);
    buffer.writeUInt8(8, 1);
    buffer.writeBigInt64LE(BigInt(value), 2);
    this.parts.push(buffer);
  }

  tuple(values: readonly number[]): void {
    this.code(Opcode.MARK);
    for (const value of values) this.integer(value);
    this.code(Opcode.TUPLE);
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}
