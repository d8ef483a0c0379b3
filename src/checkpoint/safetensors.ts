/** Positional reading of safetensors files into the caller's memory. Nothing but the headers is kept. */
import fs from 'node:fs';
import { GlmError } from '../protocol/errors';
import { DTYPE_BYTES, widenToFloat32 } from './dtype';
import { headerLength, parseHeader } from './safetensorsHeader';
import type { TensorEntry, TensorReader } from './types';

/** Bytes a widening read holds at a time. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** The most that Linux reads in one call. */
const MAX_READ_BYTES = 0x7ffff000;

export interface SafetensorsFile {
  file: string;
  bytes: number;
  /** Bytes of the header, its length field included. */
  headerBytes: number;
  metadata: Record<string, string>;
}

export interface SafetensorsReader extends TensorReader {
  readonly files: readonly SafetensorsFile[];
}

/**
 * Opens safetensors files as one set of tensors.
 * @param files paths; their headers are read and checked now, data only when asked for
 * @returns a reader that holds the files open until `close()`; throws GlmError `checkpoint.*`
 */
export function openSafetensors(files: readonly string[]): SafetensorsReader {
  const reader = new FileReader();
  try {
    for (const file of files) reader.add(file);
  } catch (error) {
    reader.close();
    throw error;
  }
  return reader;
}

class FileReader implements SafetensorsReader {
  readonly tensors = new Map<string, TensorEntry>();
  readonly files: SafetensorsFile[] = [];
  private readonly descriptors = new Map<string, number>();

  add(file: string): void {
    const descriptor = openRegularFile(file);
    this.descriptors.set(file, descriptor);
    const bytes = fs.fstatSync(descriptor).size;
    const prefix = new Uint8Array(8);
    readFully(descriptor, prefix.subarray(0, Math.min(8, bytes)), 0, file);
    const json = new Uint8Array(headerLength(prefix, file, bytes));
    readFully(descriptor, json, 8, file);
    const { entries, metadata } = parseHeader(json, file, bytes);
    this.files.push({ file, bytes, headerBytes: 8 + json.byteLength, metadata });
    for (const entry of entries) {
      if (this.tensors.has(entry.name)) {
        throw new GlmError('checkpoint.badTensor', {
          file,
          tensor: entry.name,
          reason: 'duplicate',
          detail: '',
        });
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

  private read(entry: TensorEntry, byteOffset: number, target: Uint8Array): void {
    const descriptor = this.descriptors.get(entry.file);
    if (descriptor === undefined) throw new Error(`${entry.file} is closed`);
    readFully(descriptor, target, entry.offset + byteOffset, entry.file);
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

function readFully(descriptor: number, target: Uint8Array, position: number, file: string): void {
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
