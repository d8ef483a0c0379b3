/** Host arrays to and from the library's tensors. */
import { widenToFloat32 } from '../../checkpoint/dtype';
import { GlmError } from '../../protocol/errors';
import { checked, native, TF_DTYPE, type Pointer } from './native';
import { sizeOf, type DType, type Value } from './ops';

/** bfloat16 and float16 travel as their bit patterns. */
export type HostArray = Float32Array | Int32Array | Uint16Array | Uint8Array;

export const BYTES: Readonly<Record<DType, number>> = {
  float32: 4,
  bfloat16: 2,
  float16: 2,
  int32: 4,
  bool: 1,
  uint8: 1,
  int8: 1,
  uint16: 2,
};

/** A tensor in the library's memory, to be filled piece by piece; `dispose` frees it. */
export class NativeTensor {
  private constructor(
    readonly pointer: Pointer,
    readonly dtype: DType,
    /** Address of its first byte. */
    readonly data: bigint,
    readonly byteLength: number,
  ) {}

  /** Uninitialised. */
  static allocate(shape: readonly number[], dtype: DType): NativeTensor {
    const api = native();
    const bytes = sizeOf(shape) * BYTES[dtype];
    const dims = BigInt64Array.from(shape, BigInt);
    const pointer = api.allocateTensor(TF_DTYPE[dtype], dims, dims.length, bytes);
    if (!pointer) throw new GlmError('engine.outOfMemory', { detail: `${bytes} bytes` });
    return new NativeTensor(pointer, dtype, api.tensorData(pointer) as bigint, bytes);
  }

  /** Over memory that is not the library's: it has to stay longer than the tensor and everything that took its values over. */
  static borrow(shape: readonly number[], dtype: DType, data: bigint): NativeTensor {
    const api = native();
    const bytes = sizeOf(shape) * BYTES[dtype];
    const dims = BigInt64Array.from(shape, BigInt);
    const { releaseNothing } = api;
    const pointer = api.newTensor(TF_DTYPE[dtype], dims, dims.length, data, bytes, releaseNothing, null);
    return new NativeTensor(pointer, dtype, data, bytes);
  }

  /** A handle that keeps the memory alive; the caller deletes it. */
  handle(): Pointer {
    return checked((status) => native().newHandle(this.pointer, status));
  }

  /** Copies bytes to `offset`; throws outside the tensor. */
  write(source: HostArray, offset = 0): void {
    if (offset < 0 || offset + source.byteLength > this.byteLength)
      throw new RangeError(`${offset} + ${source.byteLength} bytes in a tensor of ${this.byteLength}`);
    if (source.byteLength > 0) native().memcpy(this.data + BigInt(offset), source, source.byteLength);
  }

  dispose(): void {
    native().deleteTensor(this.pointer);
  }
}

/** A tensor with a copy of `array`; throws where the sizes differ. */
export function newTensor(array: HostArray, like: Value): NativeTensor {
  const bytes = sizeOf(like.shape) * BYTES[like.dtype];
  if (array.byteLength !== bytes)
    throw new Error(
      `a ${like.dtype} tensor [${like.shape.join()}] takes ${bytes} bytes, not ${array.byteLength}`,
    );
  const tensor = NativeTensor.allocate(like.shape, like.dtype);
  tensor.write(array);
  return tensor;
}

/** A copy of a tensor's values; bfloat16 is widened to float32. */
export function readTensor(tensor: Pointer): Float32Array | Int32Array {
  const api = native();
  const bytes = Number(api.tensorByteSize(tensor));
  const type = api.tensorType(tensor) as number;
  const copy = <A extends HostArray>(array: A): A => {
    if (bytes > 0) api.memcpy(array, api.tensorData(tensor), bytes);
    return array;
  };
  switch (type) {
    case TF_DTYPE.float32:
      return copy(new Float32Array(bytes / 4));
    case TF_DTYPE.int32:
      return copy(new Int32Array(bytes / 4));
    case TF_DTYPE.bfloat16: {
      const values = new Float32Array(bytes / 2);
      widenToFloat32('BF16', copy(new Uint8Array(bytes)), values, 0);
      return values;
    }
    case TF_DTYPE.bool:
      return Int32Array.from(copy(new Uint8Array(bytes)));
  }
  throw new Error(`tensors of type ${type} are not read`);
}
