/** Writer of `pytorch_model.bin` files, the format in which THUDM's P-Tuning v2 prefixes are exchanged. */
import path from 'node:path';
import { writeFileAtomic } from '../atomic';
import { DTYPE_BYTES } from '../dtype';
import { planOf, type TensorPlan } from '../safetensorsWriter';
import type { TensorToWrite } from '../types';
import { pickleStateDict } from './pickleWriter';
import { ZipWriter } from './zipWriter';

/** Version of torch's archive layout; every release since 1.6 reads it. */
const LAYOUT_VERSION = '3\n';

/**
 * Writes tensors as `torch.save` of a plain dict does: a zip file that `torch.load(file, weights_only=True)` and this
 * room's reader open. Temporary file, fsync, rename.
 * @param tensors in the order of the dict; each fills a storage of its own. Plans are asked for their data once, in turn.
 *   Throws RangeError for a name given twice, a wrong number of bytes, U16/U32/U64 tensors, or 4 GiB and more
 */
export function writeTorchFile(file: string, tensors: Iterable<TensorToWrite | TensorPlan>): void {
  const plans = Array.from(tensors, (tensor) =>
    typeof tensor.data === 'function' ? (tensor as TensorPlan) : planOf(tensor as TensorToWrite),
  );
  if (new Set(plans.map(({ name }) => name)).size < plans.length) {
    throw new RangeError('a tensor name is given twice');
  }
  const pickle = pickleStateDict(
    plans.map(({ name, dtype, shape }, index) => ({ name, dtype, shape, storageKey: String(index) })),
  );
  // Torch names the archive's only directory after the file.
  const root = path.basename(file).replace(/\.[^.]*$/, '') || 'archive';
  writeFileAtomic(file, (descriptor) => {
    const zip = new ZipWriter(descriptor);
    zip.add(`${root}/data.pkl`, pickle);
    zip.add(`${root}/byteorder`, Buffer.from('little'));
    plans.forEach((plan, index) => zip.add(`${root}/data/${index}`, checkedData(plan)));
    zip.add(`${root}/version`, Buffer.from(LAYOUT_VERSION));
    zip.finish();
  });
}

function checkedData(plan: TensorPlan): Uint8Array {
  const data = plan.data();
  const expected = plan.shape.reduce((product, size) => product * size, DTYPE_BYTES[plan.dtype]);
  if (data.byteLength !== expected) {
    throw new RangeError(`${plan.name}: ${data.byteLength} bytes given, ${expected} announced`);
  }
  return data;
}
