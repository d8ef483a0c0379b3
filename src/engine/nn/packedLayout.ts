/** The variables a packed matrix lives in, and the pieces it is unpacked in. */
import { NF4_LEVELS } from '../../checkpoint/packed/tables';
import type { IntegerMatrix, MatrixShape, Nf4Matrix, PackedMatrix } from '../../checkpoint/packed/types';
import type { Variable } from '../backend/graphBuilder';
import { sizeOf, type DType } from '../backend/ops';
import type { HostArray } from '../backend/tensor';
import type { ComputeDType } from '../types';

/** What a function needs of a packed matrix: its variables, or their values. */
export interface Parts<V> {
  /** uint8 with two codes each, or int8 numbers; of the stored matrix. */
  codes: V;
  /** float32 scales of rows or blocks [rows, blocks of a row] of the stored matrix, or their uint8 codes in a row. */
  scales: V;
  /** float32 scales of the scales. */
  nested: V | null;
}

/** Everything about a packed matrix but its numbers. */
export interface PackedLayout {
  shape: MatrixShape;
  /** Rows are whole blocks, so that any rows, and any columns of whole blocks, can be unpacked by themselves. */
  isTiled: boolean;
  /** `shape`, or where it is not tiled one row that is filled up to whole blocks. */
  stored: MatrixShape;
  variables: Parts<Variable>;
  /** Float32 number of each of the 16 codes; null where codes are numbers. */
  levels: Float32Array | null;
  /** Weights that share a scale. */
  blockSize: number;
  /** Weights that are unpacked together, about. */
  pieceSize: number;
  /** Scales that share a scale of their own, and what is added to them. */
  nested: { blockSize: number; offset: number } | null;
  /** What dequantised weights are rounded to before they become the compute dtype. */
  rounding: ComputeDType;
}

export interface PackedVariables {
  layout: PackedLayout;
  /** What to assign to the variables; the bytes are those of the variable's dtype. */
  data: { variable: Variable; data: HostArray }[];
}

export interface Range {
  start: number;
  count: number;
}

/** Of the stored matrix. */
export interface Piece {
  rows: Range;
  columns: Range;
}

/** 24 MiB as float32: glibc keeps up to 32 MiB for the next who asks; what is larger goes back to the system each time. */
const PIECE_SIZE = 6 * 2 ** 20;
/** Most outputs of a product: x Wᵀ over 12288 of them takes half as long in eight pieces as it does at once. */
const PIECE_ROWS = 1536;
export const CODES_PER_BYTE = 2;

export function whole({ stored: [rows, columns] }: PackedLayout): Piece {
  return { rows: { start: 0, count: rows }, columns: { start: 0, count: columns } };
}

/** Pieces of all columns: outputs of the layer. */
export function rowPieces(layout: PackedLayout): Piece[] {
  const { rows, columns } = whole(layout);
  if (!layout.isTiled) return [{ rows, columns }];
  const most = Math.min(PIECE_ROWS, layout.pieceSize / columns.count);
  return split(rows.count, most, 1).map((range) => ({ rows: range, columns }));
}

/** Pieces of all rows: inputs of the layer. */
export function columnPieces(layout: PackedLayout): Piece[] {
  const { rows, columns } = whole(layout);
  if (!layout.isTiled) return [{ rows, columns }];
  const unit = layout.blockSize === columns.count ? CODES_PER_BYTE : layout.blockSize;
  return split(columns.count, layout.pieceSize / rows.count, unit).map((range) => ({ rows, columns: range }));
}

/** Equal ranges of about `most`, in whole units, the last maybe shorter: the fewer shapes, the less is compiled. */
function split(total: number, most: number, unit: number): Range[] {
  const size = unit * Math.max(1, Math.floor(most / unit));
  const even = unit * Math.ceil(total / Math.ceil(total / size) / unit);
  return Array.from({ length: Math.ceil(total / even) }, (_, i) => {
    const start = i * even;
    return { start, count: Math.min(even, total - start) };
  });
}

/** Variables for a packed matrix; `pieceSize` weights, about, are to be unpacked at a time. */
export function packedVariables(name: string, matrix: PackedMatrix, pieceSize = PIECE_SIZE): PackedVariables {
  return matrix.kind === 'nf4'
    ? nf4Variables(name, matrix, pieceSize)
    : integerVariables(name, matrix, pieceSize);
}

const ROUNDING = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

function nf4Variables(name: string, matrix: Nf4Matrix, pieceSize: number): PackedVariables {
  const { shape, blockSize, absmax, sourceDType } = matrix;
  const blocks = Math.ceil(sizeOf(shape) / blockSize);
  const isTiled = shape[1] % blockSize === 0;
  const stored: MatrixShape = isTiled ? shape : [1, blocks * blockSize];
  const codes = variable(`${name}.codes`, 'uint8', [stored[0], stored[1] / CODES_PER_BYTE]);
  const layout = {
    ...{ shape, isTiled, stored, blockSize, pieceSize },
    levels: Float32Array.from(NF4_LEVELS),
    rounding: ROUNDING[sourceDType],
  };
  const data = [{ variable: codes, data: padded(matrix.codes, sizeOf(codes.shape)) }];
  if (absmax.kind === 'plain') {
    const scales = variable(`${name}.absmax`, 'float32', [stored[0], stored[1] / blockSize]);
    return {
      layout: { ...layout, nested: null, variables: { codes, scales, nested: null } },
      data: [...data, { variable: scales, data: absmax.values }],
    };
  }
  const groups = absmax.scales.length;
  const scales = variable(`${name}.absmax`, 'uint8', [groups * absmax.blockSize]);
  const nested = variable(`${name}.nested_absmax`, 'float32', [groups]);
  return {
    layout: {
      ...layout,
      nested: { blockSize: absmax.blockSize, offset: absmax.offset },
      variables: { codes, scales, nested },
    },
    data: [
      ...data,
      { variable: scales, data: padded(absmax.codes, groups * absmax.blockSize) },
      { variable: nested, data: absmax.scales },
    ],
  };
}

/** Rows of THUDM's integers are their blocks. */
function integerVariables(name: string, matrix: IntegerMatrix, pieceSize: number): PackedVariables {
  const { kind, shape, codes: bytes, scale } = matrix;
  const [rows, columns] = shape;
  const codes =
    kind === 'int8'
      ? variable(`${name}.codes`, 'int8', shape)
      : variable(`${name}.codes`, 'uint8', [rows, columns / CODES_PER_BYTE]);
  const scales = variable(`${name}.scale`, 'float32', [rows, 1]);
  return {
    layout: {
      ...{ shape, stored: shape, blockSize: columns, pieceSize },
      isTiled: true,
      nested: null,
      levels:
        kind === 'int8'
          ? null
          : Float32Array.from({ length: 16 }, (_, code) => (code < 8 ? code : code - 16)),
      rounding: 'float32',
      variables: { codes, scales, nested: null },
    },
    data: [
      { variable: codes, data: bytes },
      { variable: scales, data: scale },
    ],
  };
}

function variable(name: string, dtype: DType, shape: readonly number[]): Variable {
  return { name, dtype, shape };
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  const result = new Uint8Array(length);
  result.set(bytes);
  return result;
}
