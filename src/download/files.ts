/** Durable files and free space. This room may not use the writers of the checkpoint room. */
import fs from 'node:fs';
import { mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import type { Purpose } from './network';

/** Free bytes for ordinary users on the disk that holds `directory`. */
export type FreeBytes = (directory: string) => Promise<number>;

export const freeBytes: FreeBytes = async (directory) => {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
};

/** Kept free: a disk that is full to the last byte troubles everything else. */
const RESERVE = 64 * 1024 * 1024;

/** Throws GlmError `*.noSpace` where `needed` bytes do not fit. */
export async function requireSpace(
  purpose: Purpose,
  directory: string,
  needed: number,
  free: FreeBytes,
): Promise<void> {
  const available = await free(directory);
  if (available >= needed + RESERVE) return;
  const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
  throw new GlmError(`${purpose}.noSpace`, {
    path: directory,
    needed: megabytes(needed + RESERVE),
    free: megabytes(available),
  });
}

/** Makes a directory and those above it. On a read-only disk Node's recursive `mkdir` says ENOENT; this says the real error. */
export async function makeDirectories(directory: string): Promise<void> {
  if (fs.existsSync(directory)) return;
  await makeDirectories(path.dirname(directory));
  await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Writes a small file so that it is on the disk under its name when this returns. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await syncDirectory(path.dirname(file));
}

/** Makes the names in a directory durable, where the file system can do that. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync().catch(() => undefined);
  await handle.close();
}

/** Gives `source` the name `target`; what has the name now is removed. */
export async function replaceDirectory(source: string, target: string): Promise<void> {
  const aside = `${target}.old-${process.pid}`;
  const replaces = fs.existsSync(target);
  if (replaces) await rename(target, aside);
  await rename(source, target);
  await syncDirectory(path.dirname(target));
  if (replaces) await rm(aside, { recursive: true, force: true });
}
