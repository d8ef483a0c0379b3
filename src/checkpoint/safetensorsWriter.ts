/** Streaming writer of safetensors files. */
import { DTYPE_BYTES } from './dtype';
import { writeFileAtomic, writeFileAtomicAsync, writeFully } from './atomic';
import type { StoredDType, TensorToWrite } from './types';

/** What the header needs to know before any data is there. */
interface TensorHead {
  name: string;
  dtype: StoredDType;
  shape: readonly number[];
}

/** A tensor whose bytes, little-endian, are asked for once, when its turn comes: one tensor is in memory at a time. */
export interface TensorPlan extends TensorHead {
  data(): Uint8Array;
}

/** The same where the bytes have to be waited for. */
export interface AwaitedTensor extends TensorHead {
  data(): Promise<Uint8Array>;
}

/** Where the data begins: a multiple of it. */
const ALIGNMENT = 64;

/** What `transformers` and `peft` expect in a header. */
const METADATA = { format: 'pt' };

/** A plan of a tensor that is in memory already. */
export function planOf(tensor: TensorToWrite): TensorPlan {
  return { name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, data: () => tensor.data };
}

/**
 * Writes tensors in the given order: temporary file, fsync, rename, fsync of the directory.
 * @param metadata string pairs of the header
 */
export function writeSafetensors(
  file: string,
  tensors: Iterable<TensorToWrite | TensorPlan>,
  metadata: Readonly<Record<string, string>> = METADATA,
): void {
  const plans = Array.from(tensors, (tensor) =>
    typeof tensor.data === 'function' ? (tensor as TensorPlan) : planOf(tensor as TensorToWrite),
  );
  const header = headerBytes(plans, metadata);
  writeFileAtomic(file, (descriptor) => {
    writeFully(descriptor, header);
    for (const plan of plans) writeData(descriptor, plan, plan.data());
  });
}

/** The same for tensors that have to be waited for one by one. */
export async function writeSafetensorsAsync(file: string, tensors: readonly AwaitedTensor[]): Promise<void> {
  const header = headerBytes(tensors, METADATA);
  await writeFileAtomicAsync(file, async (descriptor) => {
    writeFully(descriptor, header);
    for (const tensor of tensors) writeData(descriptor, tensor, await tensor.data());
  });
}

function writeData(descriptor: number, plan: TensorHead, data: Uint8Array): void {
  if (data.byteLength !== plannedBytes(plan)) {
    throw new RangeError(`${plan.name}: ${data.byteLength} bytes given, ${plannedBytes(plan)} announced`);
  }
  writeFully(descriptor, data);
}

function plannedBytes(plan: TensorHead): number {
  return plan.shape.reduce((product, size) => product * size, DTYPE_BYTES[plan.dtype]);
}

function headerBytes(plans: readonly TensorHead[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  const names = new Set(['__metadata__']);
  let offset = 0;
  for (const plan of plans) {
    if (names.has(plan.name)) throw new RangeError(`${plan.name} is given twice`);
    names.add(plan.name);
    const end = offset + plannedBytes(plan);
    entries.push([plan.name, { dtype: plan.dtype, shape: plan.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  // Spaces before the data: the engine uses a file's values where they lie if they are aligned like a tensor of its own.
  const bytes = Buffer.alloc(Math.ceil((8 + json.byteLength) / ALIGNMENT) * ALIGNMENT, ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.byteLength - 8));
  json.copy(bytes, 8);
  return bytes;
}
