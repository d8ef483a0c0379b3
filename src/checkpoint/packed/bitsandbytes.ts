/**
 * bitsandbytes' serialisation of a 4-bit layer, as `transformers` saves it: the codes under the weight's own name and, beside
 * them, scales, tables and a JSON text with the sizes.
 */
import type { FloatDType } from '../narrow';
import type { StoredDType, TensorEntry, TensorReader, TensorToWrite } from '../types';
import { NESTED_BLOCK_SIZE } from './absmax';
import { packedFault } from './fault';
import { NF4_BLOCK_SIZE } from './nf4';
import type { StoredSpec } from './stored';
import { DYNAMIC_LEVELS, NF4_LEVELS } from './tables';
import type { Absmax, MatrixShape, Nf4Matrix } from './types';

/** What follows the weight's name in the names of the tensors beside it. */
export const NF4_SUFFIX = {
  absmax: '.absmax',
  map: '.quant_map',
  nestedAbsmax: '.nested_absmax',
  nestedMap: '.nested_quant_map',
  state: '.quant_state.bitsandbytes__nf4',
} as const;

/** Block sizes that bitsandbytes has kernels for. */
export const NF4_BLOCK_SIZES: readonly number[] = [64, 128, 256, 512, 1024, 2048, 4096, 32];

const MAX_STATE_BYTES = 64 * 1024;
const DTYPE_NAMES: Readonly<Record<FloatDType, string>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** The JSON text; keys are bitsandbytes' own. */
interface QuantState {
  quant_type: 'nf4';
  blocksize: number;
  dtype: string;
  shape: readonly number[];
  nested_blocksize?: number;
  nested_dtype?: string;
  nested_offset?: number;
}

/** Whether a weight is stored this way. */
export function isNf4(tensors: ReadonlyMap<string, TensorEntry>, weight: string): boolean {
  return tensors.has(weight + NF4_SUFFIX.state);
}

/**
 * Reads a 4-bit weight.
 * @param weight name of the weight, which is the name of its codes
 * @param shape what the configuration calls for
 * @throws GlmError `checkpoint.badTensor` where the parts do not fit together
 */
export function readNf4(reader: TensorReader, weight: string, shape: MatrixShape): Nf4Matrix {
  const source = new Nf4Source(reader, weight);
  const state = source.state();
  if (!equal(state.shape, shape)) source.fail(`shape [${state.shape.join(', ')}]`);
  const count = shape[0] * shape[1];
  const blocks = Math.ceil(count / state.blocksize);
  source.checkTable(NF4_SUFFIX.map, NF4_LEVELS);
  const codes = source.bytes('', Math.ceil(count / 2));
  return {
    kind: 'nf4',
    shape,
    blockSize: state.blocksize,
    codes,
    absmax: source.absmax(state, blocks),
    sourceDType: (Object.keys(DTYPE_NAMES) as FloatDType[]).find((key) => DTYPE_NAMES[key] === state.dtype)!,
  };
}

class Nf4Source {
  constructor(
    private readonly reader: TensorReader,
    private readonly weight: string,
  ) {}

  fail(detail: string): never {
    const file = this.reader.tensors.get(this.weight)?.file ?? '';
    throw packedFault(file, this.weight, detail);
  }

  private entry(suffix: string): TensorEntry {
    return this.reader.tensors.get(this.weight + suffix) ?? this.fail(`${suffix} is missing`);
  }

  private checked(suffix: string, dtype: StoredDType, count: number): TensorEntry {
    const entry = this.entry(suffix);
    const found = entry.shape.reduce((product, size) => product * size, 1);
    if (entry.dtype !== dtype || found !== count)
      this.fail(`${suffix || 'weight'}: ${entry.dtype} [${entry.shape.join(', ')}]`);
    return entry;
  }

  bytes(suffix: string, count: number): Uint8Array {
    const { name } = this.checked(suffix, 'U8', count);
    const bytes = new Uint8Array(count);
    this.reader.readInto(name, bytes);
    return bytes;
  }

  floats(suffix: string, count: number): Float32Array {
    const values = this.reader.readFloat32(this.checked(suffix, 'F32', count).name);
    if (!values.every(Number.isFinite)) this.fail(`${suffix}: NaN`);
    return values;
  }

  /** A table that is not ours would give every weight another meaning. Files that leave it out mean the usual one. */
  checkTable(suffix: string, levels: Float32Array): void {
    if (!this.reader.tensors.has(this.weight + suffix)) return;
    if (!equal(this.floats(suffix, levels.length), levels)) this.fail(suffix);
  }

  state(): QuantState {
    const { byteLength, dtype } = this.entry(NF4_SUFFIX.state);
    if (dtype !== 'U8' || byteLength > MAX_STATE_BYTES) this.fail(NF4_SUFFIX.state);
    const text = Buffer.from(this.bytes(NF4_SUFFIX.state, byteLength)).toString('utf8');
    let state: Partial<QuantState> | null;
    try {
      state = JSON.parse(text) as Partial<QuantState> | null;
    } catch {
      this.fail(text);
    }
    if (
      state?.quant_type !== 'nf4' ||
      !NF4_BLOCK_SIZES.includes(state.blocksize!) ||
      !Object.values(DTYPE_NAMES).includes(state.dtype!) ||
      !Array.isArray(state.shape)
    )
      this.fail(text);
    return state as QuantState;
  }

  absmax(state: QuantState, blocks: number): Absmax {
    const { nested_blocksize: blockSize, nested_offset: offset } = state;
    if (blockSize === undefined) return { kind: 'plain', values: this.floats(NF4_SUFFIX.absmax, blocks) };
    if (
      !Number.isInteger(blockSize) ||
      blockSize < 1 ||
      !Number.isFinite(offset) ||
      state.nested_dtype !== 'float32'
    )
      this.fail(JSON.stringify(state));
    this.checkTable(NF4_SUFFIX.nestedMap, DYNAMIC_LEVELS);
    return {
      kind: 'nested',
      codes: this.bytes(NF4_SUFFIX.absmax, blocks),
      scales: this.floats(NF4_SUFFIX.nestedAbsmax, Math.ceil(blocks / blockSize)),
      offset: Math.fround(offset!),
      blockSize,
    };
  }
}

function equal(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (value, i) => value === b[i]);
}

/** The tensors that bitsandbytes writes for a matrix. */
export function nf4Tensors(weight: string, matrix: Nf4Matrix): TensorToWrite[] {
  const { shape, codes, absmax, blockSize, sourceDType } = matrix;
  const state: QuantState = {
    quant_type: 'nf4',
    blocksize: blockSize,
    dtype: DTYPE_NAMES[sourceDType],
    shape,
  };
  const tensors = [u8(weight, codes, [codes.length, 1]), f32(weight + NF4_SUFFIX.map, NF4_LEVELS)];
  if (absmax.kind === 'plain') tensors.push(f32(weight + NF4_SUFFIX.absmax, absmax.values));
  else {
    state.nested_blocksize = absmax.blockSize;
    state.nested_dtype = DTYPE_NAMES.F32;
    state.nested_offset = absmax.offset;
    tensors.push(
      u8(weight + NF4_SUFFIX.absmax, absmax.codes),
      f32(weight + NF4_SUFFIX.nestedAbsmax, absmax.scales),
      f32(weight + NF4_SUFFIX.nestedMap, DYNAMIC_LEVELS),
    );
  }
  tensors.push(u8(weight + NF4_SUFFIX.state, Buffer.from(pythonJson(state))));
  return tensors;
}

/** JSON with the spaces that Python puts in, so that the bytes are those of bitsandbytes. */
function pythonJson(state: QuantState): string {
  const value = (item: unknown): string =>
    Array.isArray(item) ? `[${item.join(', ')}]` : JSON.stringify(item);
  return `{${Object.entries(state)
    .map(([key, item]) => `"${key}": ${value(item)}`)
    .join(', ')}}`;
}

function u8(name: string, data: Uint8Array, shape = [data.length]): TensorToWrite {
  return { name, dtype: 'U8', shape, data };
}

function f32(name: string, values: Float32Array): TensorToWrite {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype: 'F32', shape: [values.length], data };
}

/** The tensors that stand for a 4-bit matrix of this shape in a checkpoint. */
export function nf4Specs(
  tensors: ReadonlyMap<string, TensorEntry>,
  weight: string,
  shape: MatrixShape,
): StoredSpec[] {
  const count = shape[0] * shape[1];
  const absmax = tensors.get(weight + NF4_SUFFIX.absmax);
  const state = tensors.get(weight + NF4_SUFFIX.state);
  const nested = absmax?.dtype !== 'F32';
  // The block size stands in the JSON text; here, where only headers are known, any usual one will do.
  const sizes = [NF4_BLOCK_SIZE, ...NF4_BLOCK_SIZES].map((size) => Math.ceil(count / size));
  const blocks = sizes.find((size) => size === absmax?.shape[0]) ?? sizes[0];
  return [
    { name: weight, shape: [Math.ceil(count / 2), 1], dtypes: ['U8'] },
    { name: weight + NF4_SUFFIX.absmax, shape: [blocks], dtypes: [nested ? 'U8' : 'F32'] },
    { name: weight + NF4_SUFFIX.state, shape: state?.shape ?? [], dtypes: ['U8'] },
    { name: weight + NF4_SUFFIX.map, shape: [NF4_LEVELS.length], dtypes: ['F32'], optional: true },
    ...(nested
      ? ([
          {
            name: weight + NF4_SUFFIX.nestedAbsmax,
            shape: [Math.ceil(blocks / NESTED_BLOCK_SIZE)],
            dtypes: ['F32'],
          },
          {
            name: weight + NF4_SUFFIX.nestedMap,
            shape: [DYNAMIC_LEVELS.length],
            dtypes: ['F32'],
            optional: true,
          },
        ] as const)
      : []),
  ];
}
