/** Host arrays as tfjs takes them. */
import { widenToFloat32 } from '../../../checkpoint/dtype';
import { sizeOf, type DType } from '../ops';
import { BYTES, type HostArray } from '../tensor';

/** The values of a feed of the given dtype; throws where their number is not that of `shape`. */
export function feedValues(feed: HostArray, shape: readonly number[], dtype: DType): TensorValues {
  const bytes = new Uint8Array(feed.buffer, feed.byteOffset, feed.byteLength);
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

/** The bytes from the beginning of a buffer, copied where they are not. */
function aligned(bytes: Uint8Array): ArrayBufferLike {
  return bytes.byteOffset === 0 ? bytes.buffer : bytes.slice().buffer;
}
