/** Host arrays as tfjs takes them. */
import { widenToFloat32 } from '../../../checkpoint/dtype';
import { sizeOf, type DType } from '../ops';
import type { Feed } from '../session';
import { BYTES, type HostArray, type StagedTensor } from '../tensor';

/** Bytes in the memory of JavaScript, to be filled piece by piece. */
export class StagedBytes implements StagedTensor {
  readonly bytes: Uint8Array;

  constructor(shape: readonly number[], dtype: DType) {
    this.bytes = new Uint8Array(sizeOf(shape) * BYTES[dtype]);
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  write(source: HostArray, offset = 0): void {
    this.bytes.set(bytesOf(source), offset);
  }

  dispose(): void {
    // The collector frees it.
  }
}

/** The values of a feed of the given dtype; throws where their number is not that of `shape`. */
export function feedValues(feed: Feed, shape: readonly number[], dtype: DType): TensorValues {
  const bytes = feed instanceof StagedBytes ? feed.bytes : bytesOf(feed as HostArray);
  const wanted = sizeOf(shape) * BYTES[dtype];
  if (bytes.length !== wanted)
    throw new Error(`a ${dtype} tensor [${shape.join()}] takes ${wanted} bytes, not ${bytes.length}`);
  return decode(bytes, dtype);
}

/** Values in a format that tfjs has; see `KEPT_AS`. */
export type TensorValues = Float32Array | Int32Array | Uint8Array;

/** Little-endian values of `dtype`. */
export function decode(bytes: Uint8Array, dtype: DType): TensorValues {
  switch (dtype) {
    case 'float32':
      return new Float32Array(aligned(bytes), 0, bytes.length / 4);
    case 'int32':
      return new Int32Array(aligned(bytes), 0, bytes.length / 4);
    case 'bool':
      return bytes;
    case 'uint8':
      return Int32Array.from(bytes);
    case 'int8':
      return Int32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    case 'uint16':
      return Int32Array.from(new Uint16Array(aligned(bytes), 0, bytes.length / 2));
    case 'bfloat16':
    case 'float16': {
      const values = new Float32Array(bytes.length / 2);
      widenToFloat32(dtype === 'float16' ? 'F16' : 'BF16', bytes, values, 0);
      return values;
    }
  }
}

function bytesOf(array: HostArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The bytes from the beginning of a buffer, copied where they are not. */
function aligned(bytes: Uint8Array): ArrayBufferLike {
  return bytes.byteOffset === 0 ? bytes.buffer : bytes.slice().buffer;
}
