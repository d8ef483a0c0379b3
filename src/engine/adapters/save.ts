/** Writes a model's adapter in the format other programs read. */
import { loraTensorName, writeAdapter } from '../../checkpoint/adapter';
import type { ResidentModel } from '../residentModel';
import { viewParts } from './flat';
import type { ResidentAdapter } from './residentAdapter';

/** Writes the adapter's files into a directory. */
export async function saveAdapter(
  directory: string,
  resident: ResidentModel,
  adapter: ResidentAdapter,
): Promise<void> {
  const values = new Map<string, Float32Array>();
  for (const group of adapter.groups)
    for (const [name, view] of viewParts(group, await resident.store.read(group.variable))) values.set(name, view);
  if (adapter.kind !== 'lora') throw new Error('prefix');
  const layers = adapter.shapes.map(({ module, a, b }) => ({
    module,
    a,
    b,
    aData: values.get(loraTensorName(module, 'A'))!,
    bData: values.get(loraTensorName(module, 'B'))!,
  }));
  writeAdapter(directory, adapter.config, layers);
}
