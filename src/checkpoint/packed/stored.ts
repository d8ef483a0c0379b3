/** Packed matrices as checkpoints hold them: which tensors they take, and reading them. */
import type { TensorSpec } from '../structure';
import type { StoredDType, TensorEntry, TensorReader } from '../types';
import { isNf4, nf4Specs, readNf4 } from './bitsandbytes';
import { packedFault } from './fault';
import type { IntegerMatrix, MatrixShape, PackedMatrix } from './types';

type Tensors = ReadonlyMap<string, TensorEntry>;

/** A tensor that a checkpoint should hold. */
export interface StoredSpec extends TensorSpec {
  /** The formats it may have; left out: any floating-point one. */
  dtypes?: readonly StoredDType[];
  /** It may be missing. */
  optional?: boolean;
}

/** THUDM's name for the scales of a quantised weight. */
export const scaleName = (weight: string): string => `${weight}_scale`;

/** How a weight of a checkpoint is stored; `dense`: as floating-point values. */
export function storedKind(
  tensors: Tensors,
  weight: string,
  columns: number,
): 'dense' | PackedMatrix['kind'] {
  if (isNf4(tensors, weight)) return 'nf4';
  const entry = tensors.get(weight);
  if (entry?.dtype !== 'I8' && !tensors.has(scaleName(weight))) return 'dense';
  return entry?.shape[1] === columns / 2 ? 'int4' : 'int8';
}

/**
 * The tensors that stand for a linear layer's weight in this checkpoint: the weight itself or, where it is quantised, its parts.
 * @param spec the dense weight [out, in]
 */
export function storedTensors(spec: TensorSpec, tensors: Tensors): StoredSpec[] {
  const { name } = spec;
  const [rows, columns] = spec.shape;
  const kind = storedKind(tensors, name, columns);
  if (kind === 'dense') return [spec];
  if (kind === 'nf4') return nf4Specs(tensors, name, [rows, columns]);
  const width = kind === 'int4' ? columns / 2 : columns;
  return [
    { name, shape: [rows, width], dtypes: ['I8'] },
    { name: scaleName(name), shape: [rows], dtypes: ['F32', 'F16', 'BF16'] },
  ];
}

/**
 * Reads a quantised weight as it is stored, or null where it is not quantised.
 * @param shape [out, in] as the configuration has it
 * @throws GlmError `checkpoint.*` where its parts do not fit
 */
export function readPacked(reader: TensorReader, weight: string, shape: MatrixShape): PackedMatrix | null {
  const kind = storedKind(reader.tensors, weight, shape[1]);
  if (kind === 'dense') return null;
  return kind === 'nf4' ? readNf4(reader, weight, shape) : readIntegers(reader, weight, shape, kind);
}

function readIntegers(
  reader: TensorReader,
  weight: string,
  shape: MatrixShape,
  kind: IntegerMatrix['kind'],
): IntegerMatrix {
  const [rows, columns] = shape;
  const entry = reader.tensors.get(weight);
  const scales = reader.tensors.get(scaleName(weight));
  const bytes = rows * (kind === 'int4' ? columns / 2 : columns);
  if (entry?.dtype !== 'I8' || entry.byteLength !== bytes || scales?.shape.join() !== `${rows}`) {
    const detail = `${entry?.dtype} [${entry?.shape.join(', ')}], [${scales?.shape.join(', ')}]`;
    throw packedFault(entry?.file ?? '', weight, detail);
  }
  const codes = new Uint8Array(bytes);
  reader.readInto(weight, codes);
  return { kind, shape, codes, scale: reader.readFloat32(scaleName(weight)) };
}
