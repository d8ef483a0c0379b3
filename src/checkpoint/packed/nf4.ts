/** NF4 quantisation, equal bit by bit to bitsandbytes' definition, and its inverse. */
import { DTYPE_BYTES, widenToFloat32 } from '../dtype';
import { roundTo, type FloatDType } from '../narrow';
import type { TensorReader } from '../types';
import { absmaxValues, nestAbsmax } from './absmax';
import { nearestEntry } from './quantizationMap';
import { NF4_LEVELS, NF4_MAP, NF4_ZERO } from './tables';
import type { MatrixShape, Nf4Matrix } from './types';

export const NF4_BLOCK_SIZE = 64;

/** Values read from a file at a time; a multiple of the block size. */
const PIECE_VALUES = 1 << 20;

export interface Nf4Options {
  /** Store the scales of the blocks in 8 bits. */
  doubleQuant: boolean;
  sourceDType: FloatDType;
}

/** Quantises a matrix that is in memory; `values` row-major. */
export function packNf4(values: Float32Array, shape: MatrixShape, options: Nf4Options): Nf4Matrix {
  const packer = new Nf4Packer(shape, options);
  packer.add(values);
  return packer.finish();
}

/**
 * Quantises a matrix of a checkpoint while it is read: the packed matrix and a buffer of a few MiB are all it takes.
 * Throws GlmError `checkpoint.*`; RangeError where the tensor is no floating-point matrix.
 */
export function packNf4From(
  reader: Pick<TensorReader, 'tensors' | 'readSlice'>,
  name: string,
  doubleQuant: boolean,
): Nf4Matrix {
  const entry = reader.tensors.get(name);
  const dtype = entry?.dtype;
  if (entry?.shape.length !== 2 || (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16'))
    throw new RangeError(`${name} is no floating-point matrix`);
  const bytes = DTYPE_BYTES[dtype];
  const packer = new Nf4Packer(entry.shape as [number, number], { doubleQuant, sourceDType: dtype });
  const raw = new Uint8Array(Math.min(entry.byteLength, PIECE_VALUES * bytes));
  const wide = dtype === 'F32' ? new Float32Array(raw.buffer) : new Float32Array(raw.byteLength / bytes);
  for (let offset = 0; offset < entry.byteLength; offset += raw.byteLength) {
    const part = raw.subarray(0, Math.min(raw.byteLength, entry.byteLength - offset));
    reader.readSlice(name, offset, part);
    if (dtype !== 'F32') widenToFloat32(dtype, part, wide, 0);
    packer.add(wide.subarray(0, part.byteLength / bytes));
  }
  return packer.finish();
}

/** Takes a matrix in pieces. All but the last must be whole blocks. */
export class Nf4Packer {
  private readonly count: number;
  private readonly codes: Uint8Array;
  private readonly absmax: Float32Array;
  private done = 0;

  constructor(
    private readonly shape: MatrixShape,
    private readonly options: Nf4Options,
  ) {
    this.count = shape[0] * shape[1];
    this.codes = new Uint8Array(Math.ceil(this.count / 2));
    this.absmax = new Float32Array(Math.ceil(this.count / NF4_BLOCK_SIZE));
  }

  add(values: Float32Array): void {
    if (this.done % NF4_BLOCK_SIZE !== 0 || this.done + values.length > this.count)
      throw new RangeError(`${values.length} values after ${this.done} of ${this.count}`);
    const whole = values.length - (values.length % NF4_BLOCK_SIZE);
    const block = this.done / NF4_BLOCK_SIZE;
    packBlocks(values.subarray(0, whole), this.codes, this.done / 2, this.absmax, block);
    this.done += values.length;
    if (whole === values.length) return;
    // The rest of a short block is zeros: they change neither its scale nor the other codes.
    const rest = new Float32Array(NF4_BLOCK_SIZE);
    rest.set(values.subarray(whole));
    const codes = new Uint8Array(NF4_BLOCK_SIZE / 2);
    packBlocks(rest, codes, 0, this.absmax, block + whole / NF4_BLOCK_SIZE);
    const start = (this.done - values.length + whole) / 2;
    this.codes.set(codes.subarray(0, this.codes.length - start), start);
  }

  finish(): Nf4Matrix {
    if (this.done !== this.count) throw new RangeError(`${this.done} of ${this.count} values were given`);
    const { shape, codes, absmax: values } = this;
    const { doubleQuant, sourceDType } = this.options;
    const absmax = doubleQuant ? nestAbsmax(values) : ({ kind: 'plain', values } as const);
    return { kind: 'nf4', shape, blockSize: NF4_BLOCK_SIZE, codes, absmax, sourceDType };
  }
}

/** [-1, 1] is cut into bins of 1 / BINS, so fine that at most one border between two levels falls into each. */
const BINS = 2048;
/** Marks a bin with a border in it. */
const MIXED = 0x80;
/** Code of the lowest value of each bin. */
const BIN_CODES = binCodes();

function binCodes(): Uint8Array {
  const codes = new Uint8Array(2 * BINS + 1);
  for (let bin = 0; bin < codes.length; bin++) {
    const first = nearestEntry((bin - BINS) / BINS, NF4_MAP);
    const next = nearestEntry((bin + 1 - BINS) / BINS, NF4_MAP);
    codes[bin] = first === next ? first : first | MIXED;
  }
  return codes;
}

/** Quantises whole blocks. This loop sees every weight of a model: no calls, no allocation, hardly a branch. */
function packBlocks(
  values: Float32Array,
  codes: Uint8Array,
  codeOffset: number,
  absmax: Float32Array,
  firstBlock: number,
): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const absmaxBits = new Int32Array(absmax.buffer, absmax.byteOffset, absmax.length);
  const table = BIN_CODES;
  let block = firstBlock;
  let byte = codeOffset;
  for (let start = 0; start < values.length; start += NF4_BLOCK_SIZE, block++) {
    const end = start + NF4_BLOCK_SIZE;
    // Magnitudes compare as their bit patterns do.
    let most = 0;
    for (let i = start; i < end; i++) {
      const magnitude = bits[i] & 0x7fffffff;
      most = magnitude > most ? magnitude : most;
    }
    absmaxBits[block] = most;
    const inverse = Math.fround(1 / absmax[block]);
    if (inverse === Infinity) {
      packTinyBlock(values.subarray(start, end), codes.subarray(byte, byte + NF4_BLOCK_SIZE / 2));
      byte += NF4_BLOCK_SIZE / 2;
      continue;
    }
    for (let i = start; i < end; i += 2) {
      const x = Math.fround(values[i] * inverse);
      const y = Math.fround(values[i + 1] * inverse);
      let high = table[(x * BINS + BINS) | 0];
      let low = table[(y * BINS + BINS) | 0];
      if (((high | low) & MIXED) !== 0) {
        high = nearestEntry(x, NF4_MAP);
        low = nearestEntry(y, NF4_MAP);
      }
      codes[byte++] = (high << 4) | low;
    }
  }
}

/** A block of zeros, or of numbers so small that the reciprocal of the largest is infinite. */
function packTinyBlock(values: Float32Array, codes: Uint8Array): void {
  const code = (value: number): number => (value === 0 ? NF4_ZERO : value < 0 ? 0 : NF4_LEVELS.length - 1);
  for (let i = 0; i < codes.length; i++) codes[i] = (code(values[2 * i]) << 4) | code(values[2 * i + 1]);
}

/** The values a packed matrix stands for, row-major, rounded to its source format. */
export function unpackNf4(matrix: Nf4Matrix): Float32Array {
  const { shape, codes, blockSize, sourceDType } = matrix;
  const absmax = absmaxValues(matrix.absmax);
  const values = new Float32Array(shape[0] * shape[1]);
  for (let i = 0; i < values.length; i++) {
    const byte = codes[i >>> 1];
    const code = i % 2 === 0 ? byte >>> 4 : byte & 15;
    values[i] = NF4_LEVELS[code] * absmax[Math.floor(i / blockSize)];
  }
  return roundTo(values, sourceDType);
}
