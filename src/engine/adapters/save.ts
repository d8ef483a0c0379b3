/** Writes a model's adapter in the format other programs read. */
import { loraTensorName, writeAdapter, writePrefix, type LoraWeights } from '../../checkpoint/adapter';
import type { LoraShape } from '../../checkpoint/lora';
import { differenceConfig, differenceLayer } from '../../checkpoint/pissa';
import type { ResidentModel } from '../residentModel';
import { viewParts } from './flat';
import { allGroups, initialName, type ResidentAdapter } from './residentAdapter';

/** An adapter's tensors on the host, by their names in files. */
export type AdapterTensors = ReadonlyMap<string, Float32Array>;

/** Reads the tensors of a model's adapter. */
export async function readAdapterTensors(
  resident: ResidentModel,
  adapter: ResidentAdapter,
): Promise<AdapterTensors> {
  const tensors = new Map<string, Float32Array>();
  for (const group of allGroups(adapter)) {
    const flat = await resident.store.read(group.variable);
    for (const [name, values] of viewParts(group, flat)) tensors.set(name, values);
  }
  return tensors;
}

/**
 * Writes an adapter directory, replacing what is there only when it is complete.
 * @param beside further files of the directory, written before it gets its name
 */
export function saveAdapter(
  directory: string,
  resident: ResidentModel,
  adapter: ResidentAdapter,
  values: AdapterTensors,
  beside?: (temporary: string) => void,
): void {
  if (adapter.kind === 'lora') {
    const layers = adapter.shapes.map((shape) => loraLayer(shape, values));
    // What PiSSA trained stands on weights without its first components; files hold the difference for the weights as they are.
    if (adapter.frozen.length > 0)
      writeAdapter(
        directory,
        differenceConfig(adapter.config),
        layers.map((layer) => differenceLayer(layer, firstMatrices(layer.module, values))),
        beside,
      );
    else writeAdapter(directory, adapter.config, layers, beside);
    return;
  }
  const { config: model } = resident.model;
  writePrefix(directory, { config: adapter.config, model, base: resident.directory, values }, beside);
}

function firstMatrices(module: string, values: AdapterTensors): Pick<LoraWeights, 'aData' | 'bData'> {
  const first = (part: 'A' | 'B'): Float32Array => values.get(initialName(loraTensorName(module, part)))!;
  return { aData: first('A'), bData: first('B') };
}

function loraLayer({ module, a, b, magnitude }: LoraShape, values: AdapterTensors): LoraWeights {
  const tensor = (part: 'A' | 'B' | 'magnitude'): Float32Array => values.get(loraTensorName(module, part))!;
  return {
    module,
    a,
    b,
    aData: tensor('A'),
    bData: tensor('B'),
    magnitudeData: magnitude && tensor('magnitude'),
  };
}
