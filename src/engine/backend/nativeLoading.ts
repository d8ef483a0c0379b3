/** Tensors of files as tensors of the library, in the dtype that is wanted. */
import { promisify } from 'node:util';
import { callAside } from './eagerCall';
import { MappedBytes, readAside } from './fileMemory';
import { typeAttr } from './graphOps';
import { checked, native, type Pointer } from './native';
import { sizeOf, type DType } from './ops';
import type { LoadOptions, StoredTensor } from './storedTensor';
import { BYTES, NativeTensor } from './tensor';

/** Bytes that are read at a time: a request to stop waits for no more. */
const PIECE_BYTES = 64 * 1024 * 1024;
/** Values that are converted at a time: both copies of them stay near the processor, and the allocator keeps their memory. */
const CAST_VALUES = 512 * 1024;
/** Threads that convert one tensor: while one waits for the file, the other converts. */
const CAST_LANES = 2;
/** What the library asks of the address of a tensor, with room for builds for wider vectors. */
const ALIGNMENT = 64n;

/** A file's bytes as the tensor itself; null where they lie at an odd address. */
export function mapTensor(stored: StoredTensor, shape: readonly number[]): MappedTensor | null {
  if (stored.byteLength === 0) return null;
  const mapped = MappedBytes.map(stored);
  if (mapped && mapped.address % ALIGNMENT === 0n)
    return { tensor: NativeTensor.borrow(shape, stored.dtype, mapped.address), mapped };
  mapped?.unmap();
  return null;
}

export interface MappedTensor {
  tensor: NativeTensor;
  /** To be unmapped when nothing uses the tensor's values any more. */
  mapped: MappedBytes;
}

/** A tensor of its own with a file's values; a value that has to be converted is never there as a whole in both dtypes. */
export async function readTensorFrom(
  stored: StoredTensor,
  shape: readonly number[],
  dtype: DType,
  { giveUp }: Pick<LoadOptions, 'giveUp'>,
): Promise<NativeTensor> {
  const tensor = NativeTensor.allocate(shape, dtype);
  try {
    if (stored.dtype === dtype) {
      for (let offset = 0; offset < stored.byteLength; offset += PIECE_BYTES) {
        giveUp();
        const bytes = Math.min(PIECE_BYTES, stored.byteLength - offset);
        await readAside(stored, offset, tensor.data + BigInt(offset), bytes);
      }
    } else await castInto(stored, tensor, sizeOf(shape), dtype, giveUp);
    return tensor;
  } catch (error) {
    tensor.dispose();
    throw error;
  }
}

async function castInto(
  stored: StoredTensor,
  target: NativeTensor,
  values: number,
  dtype: DType,
  giveUp: () => void,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    const piece = NativeTensor.allocate([Math.min(CAST_VALUES, values)], stored.dtype);
    try {
      while (next < values) {
        giveUp();
        const start = next;
        next += CAST_VALUES;
        const count = Math.min(CAST_VALUES, values - start);
        await readAside(stored, start * BYTES[stored.dtype], piece.data, count * BYTES[stored.dtype]);
        await castPiece(piece, target.data + BigInt(start * BYTES[dtype]), count * BYTES[dtype], dtype);
      }
    } finally {
      piece.dispose();
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: CAST_LANES }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
}

/** Converts a piece and copies the first `bytes` of the result to `target`. */
async function castPiece(piece: NativeTensor, target: bigint, bytes: number, dtype: DType): Promise<void> {
  const api = native();
  const memcpy = promisify<unknown[], unknown>(api.memcpy.async) as (...args: unknown[]) => Promise<unknown>;
  const source = piece.handle();
  let handles: Pointer[] = [];
  try {
    const attrs = { SrcT: typeAttr(piece.dtype), DstT: typeAttr(dtype) };
    handles = await callAside({ op: 'Cast', inputs: [source], attrs, outputs: 1 });
    const result = checked((status) => api.resolveHandle(handles[0], status));
    await memcpy(target, api.tensorData(result), bytes);
    api.deleteTensor(result);
  } finally {
    for (const handle of [source, ...handles]) api.deleteHandle(handle);
  }
}
