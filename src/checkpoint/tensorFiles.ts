/** Positional reading of weight files into the caller's memory, whatever their format. Only headers are kept. */
import fs from 'node:fs';
import { GlmError } from '../protocol/errors';
import { DTYPE_BYTES, widenToFloat32 } from './dtype';
import type { TensorEntry, TensorReader } from './types';

/** Bytes a widening read holds at a time. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** The most that Linux reads in one call. */
const MAX_READ_BYTES = 0x7ffff000;

/** A stretch of a file. */
export interface ByteRange {
  offset: number;
  bytes: number;
}

export interface WeightFile {
  file: string;
  bytes: number;
  format: 'safetensors' | 'torch';
  /** Where the file says which tensors it holds; these bytes identify it. */
  headers: readonly ByteRange[];
  /** String pairs of a safetensors header. */
  metadata: Record<string, string>;
}

/** What a format's parser makes of a file. */
export interface ParsedHeader extends Pick<WeightFile, 'format' | 'headers' | 'metadata'> {
  entries: readonly TensorEntry[];
}

/** A file that is open for reading. */
export interface OpenFile {
  file: string;
  descriptor: number;
  bytes: number;
}

export interface WeightsReader extends TensorReader {
  readonly files: readonly WeightFile[];
}

/**
 * Opens weight files as one set of tensors.
 * @param parse reads and checks the header of one file; throws GlmError
 * @returns a reader that holds the files open until `close()`
 */
export function openTensorFiles(
  files: readonly string[],
  parse: (open: OpenFile) => ParsedHeader,
): WeightsReader {
  const reader = new TensorFilesReader();
  try {
    for (const file of files) reader.add(file, parse);
  } catch (error) {
    reader.close();
    throw error;
  }
  return reader;
}

class TensorFilesReader implements WeightsReader {
  readonly tensors = new Map<string, TensorEntry>();
  readonly files: WeightFile[] = [];
  private readonly descriptors = new Map<string, number>();

  add(file: string, parse: (open: OpenFile) => ParsedHeader): void {
    const descriptor = openRegularFile(file);
    this.descriptors.set(file, descriptor);
    const bytes = fs.fstatSync(descriptor).size;
    const { entries, ...header } = parse({ file, descriptor, bytes });
    this.files.push({ file, bytes, ...header });
    for (const entry of entries) {
      if (this.tensors.has(entry.name)) {
        const tensor = entry.name.slice(0, 200);
        throw new GlmError('checkpoint.badTensor', { file, tensor, reason: 'duplicate', detail: '' });
      }
      this.tensors.set(entry.name, entry);
    }
  }

  readInto(name: string, target: Uint8Array): void {
    const entry = this.entry(name);
    if (target.byteLength !== entry.byteLength) {
      throw new RangeError(`${name}: ${target.byteLength} bytes given, ${entry.byteLength} needed`);
    }
    this.read(entry, 0, target);
  }

  readSlice(name: string, byteOffset: number, target: Uint8Array): void {
    const entry = this.entry(name);
    if (byteOffset < 0 || byteOffset + target.byteLength > entry.byteLength) {
      throw new RangeError(
        `${name}: ${byteOffset} + ${target.byteLength} is outside ${entry.byteLength} bytes`,
      );
    }
    this.read(entry, byteOffset, target);
  }

  readFloat32(name: string): Float32Array {
    const entry = this.entry(name);
    const { dtype, file } = entry;
    if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16' && dtype !== 'F64') {
      throw new GlmError('checkpoint.badTensor', { file, tensor: name, reason: 'notFloat', detail: dtype });
    }
    const size = DTYPE_BYTES[dtype];
    const values = new Float32Array(entry.byteLength / size);
    if (dtype === 'F32') {
      this.read(entry, 0, new Uint8Array(values.buffer));
      return values;
    }
    const piece = new Uint8Array(Math.min(PIECE_BYTES, entry.byteLength));
    for (let offset = 0; offset < entry.byteLength; offset += piece.byteLength) {
      const part = piece.subarray(0, Math.min(piece.byteLength, entry.byteLength - offset));
      this.read(entry, offset, part);
      widenToFloat32(dtype, part, values, offset / size);
    }
    return values;
  }

  close(): void {
    for (const descriptor of this.descriptors.values()) fs.closeSync(descriptor);
    this.descriptors.clear();
  }

  private entry(name: string): TensorEntry {
    const entry = this.tensors.get(name);
    if (!entry) throw new GlmError('checkpoint.noTensor', { tensor: name, file: this.files[0]?.file ?? '' });
    return entry;
  }

  descriptor(name: string): number {
    return this.openFile(this.entry(name));
  }

  private openFile({ file }: TensorEntry): number {
    const descriptor = this.descriptors.get(file);
    if (descriptor === undefined) throw new Error(`${file} is closed`);
    return descriptor;
  }

  private read(entry: TensorEntry, byteOffset: number, target: Uint8Array): void {
    readFully(this.openFile(entry), target, entry.offset + byteOffset, entry.file);
  }
}

/**
 * Opens a file for reading. A named pipe or a device is refused: opening one could wait for ever.
 * @returns the descriptor; throws GlmError
 */
export function openRegularFile(file: string): number {
  try {
    if (!fs.statSync(file).isFile()) throw new GlmError('checkpoint.notAFile', { path: file });
    return fs.openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new GlmError('checkpoint.missingFile', { path: file }, { cause: error });
    }
    throw error;
  }
}

/** Fills `target` from `position`; throws GlmError where the file ends before that. */
export function readFully(descriptor: number, target: Uint8Array, position: number, file: string): void {
  let done = 0;
  while (done < target.byteLength) {
    const length = Math.min(target.byteLength - done, MAX_READ_BYTES);
    const count = fs.readSync(descriptor, target, done, length, position + done);
    // The file was cut after its header had been checked.
    if (count === 0) {
      const bytes = fs.fstatSync(descriptor).size;
      throw new GlmError('checkpoint.truncated', { file, bytes, expected: position + target.byteLength });
    }
    done += count;
  }
}

/** The bytes from `position`; the caller has checked that the file has them. */
export function readBytes({ descriptor, file }: OpenFile, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readFully(descriptor, bytes, position, file);
  return bytes;
}
