/** Puts an adapter directory on a model. */
import { checkAdapter, openAdapter, requireEncoder } from '../../checkpoint/adapter';
import type { ResidentModel } from '../residentModel';
import { loraAdapter, prefixAdapter } from './create';
import type { ResidentAdapter } from './residentAdapter';

export interface LoadAdapterOptions {
  /** It is to be trained on: what cannot be is refused. */
  training?: { lrRatio: number; prefixDropout: number };
}

/** Reads an adapter and puts it on the model. Throws `checkpoint.*`, `adapter.*` where it does not fit. */
export async function loadAdapter(
  resident: ResidentModel,
  directory: string,
  { training }: LoadAdapterOptions = {},
): Promise<ResidentAdapter> {
  const files = openAdapter(directory);
  try {
    const { config } = resident.model;
    checkAdapter(files, config);
    if (files.kind === 'prefix' && training) requireEncoder(files);
    const adapter =
      files.kind === 'lora'
        ? loraAdapter(directory, config, files.config, { lrRatio: training?.lrRatio ?? 1 })
        : prefixAdapter(config, files.config, training?.prefixDropout ?? 0);
    await resident.setAdapter(adapter, ({ name }) => files.reader.readFloat32(name));
    return adapter;
  } finally {
    files.reader.close();
  }
}
