/** Short identities of files and models, for `provenance.json`. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { FileFingerprint } from '../protocol/runDirectory';
import { openSafetensors } from './safetensors';
import { openRegularFile, readFully, type ByteRange, type WeightFile } from './tensorFiles';

const PIECE_BYTES = 1024 * 1024;

/** sha256 of a whole file, read in pieces. Throws GlmError when it is missing. */
export function fileFingerprint(file: string): FileFingerprint {
  const hash = createHash('sha256');
  const piece = new Uint8Array(PIECE_BYTES);
  const descriptor = openRegularFile(file);
  let bytes = 0;
  try {
    for (;;) {
      const count = fs.readSync(descriptor, piece, 0, piece.byteLength, bytes);
      if (count === 0) break;
      hash.update(piece.subarray(0, count));
      bytes += count;
    }
  } finally {
    fs.closeSync(descriptor);
  }
  return { path: file, bytes, sha256: hash.digest('hex') };
}

/**
 * Identity of a model's weight files: sha256 over names, sizes and headers, not over the data, so it takes milliseconds on
 * 12 GB. It changes when any tensor changes its name, shape, format or place.
 * @returns hexadecimal sha256
 */
export function modelFingerprint(files: readonly WeightFile[]): string {
  const hash = createHash('sha256');
  const sorted = [...files].sort((a, b) => (path.basename(a.file) < path.basename(b.file) ? -1 : 1));
  for (const { file, bytes, headers } of sorted) {
    hash.update(`${path.basename(file)}\0${bytes}\0`);
    for (const range of headers) hash.update(readRange(file, range));
  }
  return hash.digest('hex');
}

/** Identity of one safetensors file, such as an adapter's. */
export function weightsFingerprint(file: string): string {
  const reader = openSafetensors([file]);
  try {
    return modelFingerprint(reader.files);
  } finally {
    reader.close();
  }
}

function readRange(file: string, { offset, bytes }: ByteRange): Uint8Array {
  const target = new Uint8Array(bytes);
  const descriptor = openRegularFile(file);
  try {
    readFully(descriptor, target, offset, file);
  } finally {
    fs.closeSync(descriptor);
  }
  return target;
}
