/** Linear layers whose weights stay packed in memory. */
import type { Checkpoint } from '../checkpoint/checkpoint';
import type { PackedMatrix } from '../checkpoint/packed/types';
import { readPacked, storedKind } from '../checkpoint/packed/stored';
import { structureOf } from '../checkpoint/structure';
import { packedWeight } from './nn/packed';
import { packedVariables } from './nn/packedLayout';
import type { PackingPool } from './packingPool';
import type { PackedLinear } from './residentModel';
import type { VariableStore } from './variableStore';

/** Makes a packed matrix when its turn comes: few of them are on the host at a time. */
export type PackedSource = (pool: PackingPool) => PackedMatrix | Promise<PackedMatrix>;

/** The weights that are to stay packed, by checkpoint name: those that are packed already, and with `quantization` all others. */
export function packedSources(
  { config, reader }: Checkpoint,
  quantization: { type: 'nf4'; double_quant: boolean } | null,
): Map<string, PackedSource> {
  const sources = new Map<string, PackedSource>();
  for (const { module, outFeatures, inFeatures } of structureOf(config).linears) {
    const name = `${module}.weight`;
    if (storedKind(reader.tensors, name, inFeatures) !== 'dense')
      sources.set(name, () => readPacked(reader, name, [outFeatures, inFeatures])!);
    else if (quantization) sources.set(name, (pool) => pool.pack(name, quantization.double_quant));
  }
  return sources;
}

/** Whether the checkpoint stores its linear layers as integers (THUDM's int4 and int8), so that NF4 cannot be made of them. */
export function storesIntegers({ config, reader }: Checkpoint): boolean {
  const kinds = structureOf(config).linears.map(({ module, inFeatures }) =>
    storedKind(reader.tensors, `${module}.weight`, inFeatures),
  );
  return kinds.every((kind) => kind === 'int4' || kind === 'int8');
}

/** Moves a packed matrix into variables. */
export async function storePacked(
  store: VariableStore,
  name: string,
  matrix: PackedMatrix,
): Promise<PackedLinear> {
  const { layout, data } = packedVariables(name, matrix);
  for (const { variable, data: values } of data) await store.session.assign(variable, variable.dtype, values);
  return {
    shape: layout.shape,
    weight: (graph, dtype) => packedWeight(layout, (variable) => graph.read(variable), dtype),
  };
}
