/** Kernels of libtensorflow, as it registers them: which operation runs where, for which types, with what in host memory. */
import { readFields, readText } from '../../../src/engine/backend/protobufReader';
import { TF_DTYPE } from '../../../src/engine/backend/native';

/** One registration for a device. */
export interface Kernel {
  /** Types it takes; an attribute that is not named takes any. */
  types: Record<string, string[]>;
  /** Arguments and results that it wants in the memory of the host. */
  host: string[];
}

/** By operation, then by device (`GPU`, or `DEFAULT` for any). */
export type KernelTable = Record<string, Record<string, Kernel[]>>;

const TYPE_NAMES = new Map<number, string>(Object.entries(TF_DTYPE).map(([name, type]) => [type, name]));

/** Decodes a `KernelList` (tensorflow/core/framework/kernel_def.proto): kernels of GPUs and of any device, for the types that we use. */
export function decodeKernels(message: Uint8Array, ops: ReadonlySet<string>): KernelTable {
  const table: KernelTable = {};
  for (const { bytes } of readFields(message)) {
    const { op, device, kernel, label } = decodeKernel(bytes);
    if (!ops.has(op) || !['GPU', 'DEFAULT'].includes(device) || label !== '') continue;
    if (Object.values(kernel.types).some((types) => types.length === 0)) continue;
    ((table[op] ??= {})[device] ??= []).push(kernel);
  }
  return table;
}

function decodeKernel(message: Uint8Array): { op: string; device: string; label: string; kernel: Kernel } {
  const kernel: Kernel = { types: {}, host: [] };
  let [op, device, label] = ['', '', ''];
  for (const field of readFields(message)) {
    if (field.field === 1) op = readText(field);
    else if (field.field === 2) device = readText(field);
    else if (field.field === 3) Object.assign(kernel.types, decodeConstraint(field.bytes));
    else if (field.field === 4) kernel.host.push(readText(field));
    else if (field.field === 5) label = readText(field);
  }
  return { op, device, label, kernel };
}

/** { name = 1, allowed_values = 2: AttrValue { list = 1 { type = 6 } } }; a constraint of another kind constrains nothing here. */
function decodeConstraint(message: Uint8Array): Record<string, string[]> {
  let name = '';
  const types: string[] = [];
  let isTypes = false;
  for (const field of readFields(message)) {
    if (field.field === 1) name = readText(field);
    if (field.field !== 2) continue;
    for (const value of readFields(field.bytes)) {
      if (value.field !== 1) continue;
      for (const item of readFields(value.bytes)) {
        if (item.field !== 6) continue;
        isTypes = true;
        for (const type of item.bytes.length > 0 ? item.bytes : [Number(item.integer)]) {
          const known = TYPE_NAMES.get(type);
          if (known !== undefined) types.push(known);
        }
      }
    }
  }
  return isTypes ? { [name]: types } : {};
}

/** The kernel that a GPU would use, its own before one for any device; null: the operation runs on the CPU. */
export function kernelFor(table: KernelTable, op: string, types: Record<string, string>): Kernel | null {
  const fits = (kernel: Kernel): boolean =>
    Object.entries(kernel.types).every(
      ([name, allowed]) => !(name in types) || allowed.includes(types[name]),
    );
  const kernels = table[op] ?? {};
  return kernels.GPU?.find(fits) ?? kernels.DEFAULT?.find(fits) ?? null;
}
