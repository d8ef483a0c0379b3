/** Puts an adapter directory on a model. */
import { checkAdapter, openAdapter } from '../../checkpoint/adapter';
import type { ResidentModel } from '../residentModel';
import { loraAdapter } from './create';

/** Reads an adapter and puts it on the model. Throws `checkpoint.*` where it does not fit. */
export async function loadAdapter(
  resident: ResidentModel,
  directory: string,
  options: { lrRatio?: number; prefixDropout?: number } = {},
): Promise<void> {
  const adapter = openAdapter(directory);
  try {
    checkAdapter(adapter, resident.model.config);
    const layout = loraAdapter(directory, resident.model.config, adapter.config, options.lrRatio);
    await resident.setAdapter(layout, ({ name }) => adapter.reader.readFloat32(name));
  } finally {
    adapter.reader.close();
  }
}
