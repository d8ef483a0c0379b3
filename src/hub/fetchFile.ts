/** One file: fetched into a part, compared with its hash, then given its name. */
import { open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { syncDirectory } from '../download/files';
import { discard, type Answer, type Network } from '../download/network';
import { appendBody, isBeyondEnd, sizeOf } from '../download/partFile';
import { requestFrom } from '../download/requests';
import { GlmError } from '../protocol/errors';
import { compareHash, type HashMismatch } from './hash';
import type { RemoteFile } from './listing';
import type { DownloadMeter } from './progress';
import { makeRealDirectory, type DownloadState } from './state';

export interface FetchContext {
  network: Network;
  state: DownloadState;
  meter: DownloadMeter;
  /** Directory of the model; absolute. */
  directory: string;
  signal: AbortSignal;
  fileUrl: (path: string) => string;
}

/** What the server has now is not what was begun. */
class Changed extends Error {}

/**
 * Fetches a file and gives it its name when it is complete and right. What was begun is gone on with.
 * Throws GlmError `hub.*`.
 */
export async function fetchFile(context: FetchContext, file: RemoteFile): Promise<void> {
  const { state, meter, signal } = context;
  const part = state.part(file);
  for (;;) {
    const begun = await state.beginning(file);
    const before = begun ? await sizeOf(part) : 0;
    const etag = await fetchPart(context, file, begun?.etag ?? null);
    meter.report('checking', file.path);
    const mismatch = await compareHash(part, file, signal);
    if (!mismatch) {
      await placeFile(context, file, etag);
      return;
    }
    await state.forget(file);
    meter.set(file.path, 0);
    // What an earlier try left may be the reason: once more from the beginning.
    if (before === 0) throw mismatched(file, mismatch);
  }
}

/** @returns the etag that the part belongs to */
async function fetchPart(
  context: FetchContext,
  file: RemoteFile,
  knownEtag: string | null,
): Promise<string | null> {
  const { network, state, meter, signal } = context;
  const part = state.part(file);
  let etag = knownEtag;
  if ((await sizeOf(part)) > file.bytes || file.bytes === 0) await empty(part);
  meter.set(file.path, await sizeOf(part));
  await network.retry(signal, async (progressed) => {
    for (let have = await sizeOf(part); have < file.bytes; have = await sizeOf(part)) {
      const { response, offset } = await ask(context, file, have, etag).catch(async (error: unknown) => {
        if (!(error instanceof Changed) && !isBeyondEnd(error)) throw error;
        await state.forget(file);
        return ask(context, file, 0, null);
      });
      if (offset === 0) {
        etag = etagOf(response);
        await state.begin(file, etag);
      }
      const end = await appendBody(network, response, part, offset, file.bytes, signal, (bytes) => {
        if (bytes > have) progressed();
        meter.set(file.path, bytes);
        meter.report('downloading', file.path);
      });
      if (end < file.bytes) throw network.short(response.url, end, file.bytes);
    }
  });
  return etag;
}

/** Asks for a file from `have` on. Throws `Changed` where the rest belongs to another content. */
async function ask(
  { network, signal, fileUrl }: FetchContext,
  file: RemoteFile,
  have: number,
  etag: string | null,
): Promise<{ response: Answer; offset: number }> {
  const { response, offset, total } = await requestFrom(network, fileUrl(file.path), have, signal);
  const now = etagOf(response);
  const changed = offset > 0 && etag !== null && now !== null && etag !== now;
  if (changed) {
    await discard(response);
    throw new Changed(file.path);
  }
  if (total !== null && total !== file.bytes) {
    await discard(response);
    throw network.bad(response.url, `${total} B, ${file.bytes} B announced`);
  }
  return { response, offset };
}

/** The hub's own name of a content goes before that of the server it lies on, which may be another next time. */
function etagOf({ redirects, headers }: Answer): string | null {
  const linked = [...redirects, headers].map((hop) => hop.get('x-linked-etag')).find((value) => value);
  const etag = linked ?? headers.get('etag');
  return etag === null ? null : etag.replace(/^W\//, '').replaceAll('"', '');
}

async function empty(part: string): Promise<void> {
  await (await open(part, 'w')).close();
}

/** Makes the content durable, then gives it its name. */
async function placeFile(
  { state, directory, meter }: FetchContext,
  file: RemoteFile,
  etag: string | null,
): Promise<void> {
  const part = state.part(file);
  const handle = await open(part, 'r+');
  await handle.sync();
  await handle.close();
  const target = path.join(directory, file.path);
  await makeParents(directory, file.path);
  await rename(part, target);
  await syncDirectory(path.dirname(target));
  await rememberComplete(state, directory, file, etag);
  await state.forget(file);
  meter.set(file.path, file.bytes);
  meter.report('downloading', file.path);
}

/** Every directory between the model's and the file is a real one: a link could lead anywhere. */
async function makeParents(directory: string, file: string): Promise<void> {
  let current = directory;
  for (const part of file.split('/').slice(0, -1)) {
    current = path.join(current, part);
    await makeRealDirectory(current);
  }
}

/** Remembers that a file is here and right, so that it need not be read again. */
export async function rememberComplete(
  state: DownloadState,
  directory: string,
  { path: name, bytes, sha256, gitBlob }: RemoteFile,
  etag: string | null,
): Promise<void> {
  const { mtimeMs: modified } = await stat(path.join(directory, name));
  await state.setComplete(name, { bytes, modified, sha256, gitBlob, etag });
}

function mismatched(file: RemoteFile, mismatch: HashMismatch): GlmError {
  return new GlmError('hub.hashMismatch', { file: file.path, ...mismatch });
}
