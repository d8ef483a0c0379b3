/** Which of the wanted files are here already, and what may be written over. */
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { sizeOf } from '../download/partFile';
import { GlmError } from '../protocol/errors';
import { rememberComplete, type FetchContext } from './fetchFile';
import { compareHash } from './hash';
import type { RemoteFile } from './listing';
import type { CompleteFile } from './state';

export interface Inventory {
  /** Files that are to be fetched. */
  missing: RemoteFile[];
  /** Bytes of the missing files that are not here yet. */
  missingBytes: number;
}

/**
 * Looks at what is here. Files that are here and right are reported to the meter as received.
 * Throws GlmError `hub.exists` for a file of that name that is another and was not downloaded by us, unless `force`.
 */
export async function takeInventory(
  context: FetchContext,
  files: readonly RemoteFile[],
  force: boolean,
): Promise<Inventory> {
  const missing: RemoteFile[] = [];
  let missingBytes = 0;
  for (const file of files) {
    if (await isHere(context, file, force)) {
      context.meter.set(file.path, file.bytes);
      continue;
    }
    missing.push(file);
    const begun = await context.state.beginning(file);
    const have = begun ? Math.min(await sizeOf(context.state.part(file)), file.bytes) : 0;
    context.meter.set(file.path, have);
    missingBytes += file.bytes - have;
  }
  return { missing, missingBytes };
}

async function isHere(context: FetchContext, file: RemoteFile, force: boolean): Promise<boolean> {
  const { directory, state, meter, signal } = context;
  const target = path.join(directory, file.path);
  const status = await lstat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    if (error.code === 'ENOTDIR') throw new GlmError('hub.notADirectory', { path: path.dirname(target) });
    throw error;
  });
  if (!status) return false;
  if (status.isDirectory()) throw new GlmError('hub.exists', { path: target });
  const known = state.completeFile(file.path);
  const ours = known?.bytes === status.size && known.modified === status.mtimeMs && status.isFile();
  if (ours && isSame(known, file)) return true;
  const hashed = file.sha256 !== null || file.gitBlob !== null;
  if (status.isFile() && status.size === file.bytes && hashed) {
    meter.report('checking', file.path);
    if ((await compareHash(target, file, signal)) === null) {
      await rememberComplete(state, directory, file, null);
      return true;
    }
  }
  // What we put there and nobody touched since may be replaced by what the repository has now.
  if (ours || force) return false;
  throw new GlmError('hub.exists', { path: target });
}

/** Without a hash only the size tells, as the etag is not known before the file is asked for. */
function isSame(known: CompleteFile, file: RemoteFile): boolean {
  return known.bytes === file.bytes && known.sha256 === file.sha256 && known.gitBlob === file.gitBlob;
}
