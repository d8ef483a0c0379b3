/** Comparing files with the hashes that a server announced. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { GlmError } from '../protocol/errors';
import type { RemoteFile } from './listing';

const PIECE_BYTES = 1 << 20;

/** How a file's hash differs from what it should be. */
export interface HashMismatch {
  algorithm: 'sha256' | 'git';
  /** Hexadecimal. */
  expected: string;
  found: string;
}

/**
 * Compares a file on the disk with the hash that is known of it.
 * @returns null where it is right, or where no hash is known; throws GlmError `hub.cancelled`
 */
export async function compareHash(
  file: string,
  { bytes, sha256, gitBlob }: RemoteFile,
  signal: AbortSignal,
): Promise<HashMismatch | null> {
  const expected = sha256 ?? gitBlob;
  if (expected === null) return null;
  const hash = createHash(sha256 === null ? 'sha1' : 'sha256');
  // A git blob is hashed with its length in front.
  if (sha256 === null) hash.update(`blob ${bytes}\0`);
  try {
    for await (const piece of fs.createReadStream(file, { highWaterMark: PIECE_BYTES, signal }))
      hash.update(piece as Buffer);
  } catch (error) {
    if (signal.aborted) throw new GlmError('hub.cancelled', {}, { cause: error });
    throw error;
  }
  const found = hash.digest('hex');
  return found === expected ? null : { algorithm: sha256 === null ? 'git' : 'sha256', expected, found };
}
