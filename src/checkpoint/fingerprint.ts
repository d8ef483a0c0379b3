/** Short identities of files and models, for `provenance.json`. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { FileFingerprint } from '../protocol/runDirectory';
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

/** Files of an adapter directory that make it what it is. */
const ADAPTER_PARTS = /\.(json|safetensors|bin)$/;
/** Beyond this a file holds a whole model around its prefix; its name and size have to do. */
const MOST_ADAPTER_BYTES = 1 << 30;

/**
 * Identity of an adapter directory: sha256 over its settings and weights. All of the values, because adapters of the same shape
 * differ in nothing else.
 */
export function adapterFingerprint(directory: string): string {
  const hash = createHash('sha256');
  for (const name of fs.readdirSync(directory).sort()) {
    const file = path.join(directory, name);
    const status = fs.statSync(file, { throwIfNoEntry: false });
    if (!ADAPTER_PARTS.test(name) || !status?.isFile()) continue;
    hash.update(`${name}\0${status.size}\0`);
    if (status.size <= MOST_ADAPTER_BYTES) hash.update(fileFingerprint(file).sha256);
  }
  return hash.digest('hex');
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
