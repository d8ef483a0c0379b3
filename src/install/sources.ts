/** Archives as `ByteSource`: on a server that knows ranges, and on the disk. */
import { open, type FileHandle } from 'node:fs/promises';
import { GlmError } from '../protocol/errors';
import { discard, readAll, type FetchResponse, type Network } from './network';
import { bad, type ByteSource } from './zip';

/** Thrown where a server answers a range request with the whole file. */
export class NoRanges extends Error {}

/** Without this a server might compress on the fly, and offsets would mean something else. */
const PLAIN = { 'accept-encoding': 'identity' };

/**
 * A file on a server.
 * @returns the source, or null where the server does not do ranges
 */
export async function openRemote(
  network: Network,
  url: string,
  signal: AbortSignal,
): Promise<RemoteSource | null> {
  return network.retry(signal, async () => {
    const response = await network.get(url, { ...PLAIN, range: 'bytes=0-0' }, signal);
    await discard(response);
    const total = response.status === 206 ? contentRange(response)?.total : undefined;
    return total ? new RemoteSource(network, url, total) : null;
  });
}

export class RemoteSource implements ByteSource {
  readonly name: string;

  constructor(
    private readonly network: Network,
    readonly url: string,
    readonly bytes: number,
  ) {
    this.name = fileName(url);
  }

  read(offset: number, length: number, signal: AbortSignal): Promise<Buffer> {
    return this.network.retry(signal, async () => {
      const response = await this.stream(offset, length, signal);
      const bytes = await readAll(response, this.url, length, signal);
      if (bytes.length !== length) {
        throw new GlmError('install.network', { url: this.url, detail: `${bytes.length} / ${length} B` });
      }
      return bytes;
    });
  }

  /** One request for a part of the file. Throws `NoRanges` when the server has changed its mind. */
  async stream(offset: number, length: number, signal: AbortSignal): Promise<FetchResponse> {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const response = await this.network.get(this.url, { ...PLAIN, range }, signal);
    const found = response.status === 206 ? contentRange(response) : null;
    if (found?.start === offset && found.total === this.bytes) return response;
    await discard(response);
    if (response.status === 200) throw new NoRanges(this.url);
    throw new GlmError('install.badResponse', { url: this.url, detail: `${response.status}, ${range}` });
  }
}

/** A request for a file from `offset` on; a server without ranges sends all of it. */
export async function requestFrom(
  network: Network,
  url: string,
  offset: number,
  signal: AbortSignal,
): Promise<{ response: FetchResponse; offset: number; total: number | null }> {
  const headers: Record<string, string> = { ...PLAIN };
  if (offset > 0) headers.range = `bytes=${offset}-`;
  const response = await network.get(url, headers, signal);
  const found = response.status === 206 ? contentRange(response) : null;
  if (found?.start === offset) return { response, offset, total: found.total };
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  return { response, offset: 0, total: Number.isSafeInteger(length) ? length : null };
}

function contentRange(response: FetchResponse): { start: number; total: number } | null {
  const found = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  return found ? { start: Number(found[1]), total: Number(found[2]) } : null;
}

export function fileName(url: string): string {
  const { pathname } = new URL(url);
  return decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1));
}

/** A file on the disk. `close()` when done. */
export class LocalSource implements ByteSource {
  private constructor(
    readonly name: string,
    readonly bytes: number,
    private readonly handle: FileHandle,
  ) {}

  /** Throws GlmError when it is not an ordinary file. */
  static async open(file: string): Promise<LocalSource> {
    const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw new GlmError('install.noLocalFile', { path: file });
      throw error;
    });
    const stat = await handle.stat();
    if (stat.isFile()) return new LocalSource(file, stat.size, handle);
    await handle.close();
    throw new GlmError('install.noLocalFile', { path: file });
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const target = Buffer.alloc(length);
    const { bytesRead } = await this.handle.read(target, 0, length, offset);
    if (bytesRead !== length) throw bad(this, 'size');
    return target;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}
