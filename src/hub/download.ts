/** Downloads a model's or an adapter's repository into a directory. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { freeBytes, makeDirectories, requireSpace, type FreeBytes } from '../download/files';
import { takeLock } from '../download/lock';
import { Network, type Fetch } from '../download/network';
import type { DownloadEvent, DownloadFile, DownloadResult } from '../protocol/download';
import { GlmError } from '../protocol/errors';
import { fetchFile, type FetchContext } from './fetchFile';
import { HuggingFaceRemote } from './huggingFace';
import type { Remote, RemoteFile } from './listing';
import { ModelScopeRemote } from './modelScope';
import { isHostilePath, requireSafePaths } from './paths';
import { takeInventory } from './present';
import { DownloadMeter } from './progress';
import { explainRefusal } from './refusals';
import { requireRepository, requireRevision } from './repository';
import { selectFiles, type Choice } from './select';
import { tokenHeaders, type Source } from './source';
import { DownloadState } from './state';

export interface DownloadOptions extends Choice {
  source: Source;
  /** `owner/name`. */
  repository: string;
  /** Branch, tag or commit; the source's default branch where absent. */
  revision?: string;
  /** Access token; sent to the source's own server only. */
  token: string | null;
  /** Directory that becomes the model's; made where it is missing. */
  directory: string;
  /** Replaces files of the same names that were not downloaded by us. */
  force?: boolean;
  /** Files at a time. */
  parallel?: number;
  /** Cancels; what was downloaded is kept for the next call. */
  signal?: AbortSignal;
  onEvent?(event: DownloadEvent): void;
  /** Proxy address; where it is absent, HTTP_PROXY, HTTPS_PROXY and NO_PROXY decide. */
  proxy?: string;
  fetch?: Fetch;
  free?: FreeBytes;
  /** Milliseconds before the first repetition of a failed request. */
  retryDelay?: number;
}

const PARALLEL = 3;

/**
 * Fetches the files of a repository that are wanted and not here yet, compares each with its hash, and gives it its name
 * when it is complete. A call after one that was cancelled, failed or was killed goes on from there.
 * @returns what is here now; throws GlmError `hub.*`, or an operating-system error with its path
 */
export async function downloadRepository(options: DownloadOptions): Promise<DownloadResult> {
  const { source, token } = options;
  const repository = requireRepository(options.repository);
  const revision = requireRevision(options.revision ?? source.defaultRevision);
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, ...(options.signal ? [options.signal] : [])]);
  const meter = new DownloadMeter((progress) => options.onEvent?.(progress));
  const network = new Network({
    ...options,
    purpose: 'hub',
    credentials: {
      url: source.endpoint,
      headers: { 'user-agent': 'glmtune', ...tokenHeaders(source, token) },
    },
    onPause: (pause) => meter.report('paused', '', pause),
  });
  const kind = source.protocol === 'modelscope' ? ModelScopeRemote : HuggingFaceRemote;
  const remote: Remote = new kind(network, source.endpoint, repository, revision);
  try {
    meter.report('listing');
    const files = await chooseFiles(remote, repository, options, signal);
    const work = { ...options, repository, revision, network, remote, meter, files, signal };
    return await downloadFiles(work, () => abort.abort());
  } catch (error) {
    const { page } = remote;
    throw explainRefusal(error, { source, repository, revision, page, hasToken: token !== null });
  } finally {
    meter.end();
    await network.close();
  }
}

async function chooseFiles(
  remote: Remote,
  repository: string,
  choice: Choice,
  signal: AbortSignal,
): Promise<RemoteFile[]> {
  const listed = await remote.list(signal);
  const paths = listed.map((file) => file.path);
  // A listing with such a path is an attack, whichever files are wanted.
  requireSafePaths(repository, paths.filter(isHostilePath));
  const files = selectFiles(repository, listed, choice);
  requireSafePaths(
    repository,
    files.map((file) => file.path),
  );
  return files;
}

interface Work extends DownloadOptions {
  revision: string;
  network: Network;
  remote: Remote;
  meter: DownloadMeter;
  files: RemoteFile[];
  signal: AbortSignal;
}

async function downloadFiles(work: Work, abort: () => void): Promise<DownloadResult> {
  const { source, repository, revision, network, remote, meter, files, signal } = work;
  await makeDirectories(path.resolve(work.directory));
  const directory = await realpath(work.directory);
  const origin = { source: source.endpoint, repository, revision };
  const state = await DownloadState.open(directory, origin);
  const release = await takeLock('hub', state.lockFile, signal, () => meter.report('waiting'));
  try {
    // Another process may have worked here while we waited.
    const context: FetchContext = {
      network,
      state: await DownloadState.open(directory, origin),
      meter,
      directory,
      signal,
      fileUrl: (file) => remote.fileUrl(file),
    };
    meter.setTotal(files.reduce((sum, file) => sum + file.bytes, 0));
    const { missing, missingBytes } = await takeInventory(context, files, work.force ?? false);
    const listed: DownloadFile[] = files.map((file) => ({ path: file.path, bytes: file.bytes }));
    const total_bytes = listed.reduce((sum, file) => sum + file.bytes, 0);
    const place = { ...origin, directory, files: listed, total_bytes };
    work.onEvent?.({ type: 'plan', ...place, present_bytes: meter.receivedBytes });
    await requireSpace('hub', directory, missingBytes, work.free ?? freeBytes);
    await fetchAll(context, missing, work.parallel ?? PARALLEL, abort);
    return { type: 'downloaded', ...place, fetched_bytes: missingBytes };
  } finally {
    release();
  }
}

/** Several files at a time, small ones first. The first failure stops the others, which keep what they have. */
async function fetchAll(
  context: FetchContext,
  files: readonly RemoteFile[],
  parallel: number,
  abort: () => void,
): Promise<void> {
  const queue = [...files];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file && !context.signal.aborted; file = queue.shift()) {
      try {
        await fetchFile(context, file);
      } catch (error) {
        failures.push(error);
        abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, files.length) }, worker));
  // What the others say after the first failure is that they were stopped.
  if (failures.length > 0) throw failures[0];
  if (context.signal.aborted) throw new GlmError('hub.cancelled', {});
}
