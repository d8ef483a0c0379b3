/** Linear layers whose weights stay packed in memory. */
import type { Checkpoint } from '../checkpoint/checkpoint';
import type { PackedMatrix } from '../checkpoint/packed/types';
import { packNf4From } from '../checkpoint/packed/nf4';
import { structureOf } from '../checkpoint/structure';
import type { PackedLinear } from './residentModel';
import type { VariableStore } from './variableStore';

/** Makes a packed matrix when its turn comes: one of them is on the host at a time. */
export type PackedSource = () => PackedMatrix;

/** The weights that are to stay packed, by checkpoint name. */
export function packedSources(
  { config, reader }: Checkpoint,
  quantization: { type: 'nf4'; double_quant: boolean } | null,
): Map<string, PackedSource> {
  const sources = new Map<string, PackedSource>();
  if (!quantization) return sources;
  for (const { module } of structureOf(config).linears) {
    const name = `${module}.weight`;
    sources.set(name, () => packNf4From(reader, name, quantization.double_quant));
  }
  return sources;
}

/** Moves a packed matrix into variables. */
export async function storePacked(
  store: VariableStore,
  name: string,
  matrix: PackedMatrix,
): Promise<PackedLinear> {
  throw new Error(`${name} ${matrix.kind} ${store.session}`);
}
