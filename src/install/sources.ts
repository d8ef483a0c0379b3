/** Archives as `ByteSource`: on a server that knows ranges, and on the disk. */
import { open, type FileHandle } from 'node:fs/promises';
import { discard, type Answer, type Network } from '../download/network';
import { contentRange, PLAIN } from '../download/requests';
import { GlmError } from '../protocol/errors';
import { bad, type ByteSource } from './zip';

/** Thrown where a server answers a range request with the whole file. */
export class NoRanges extends Error {}

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
      const bytes = await this.network.readAll(response, length, signal);
      if (bytes.length !== length) throw this.network.short(this.url, bytes.length, length);
      return bytes;
    });
  }

  /** One request for a part of the file. Throws `NoRanges` when the server has changed its mind. */
  async stream(offset: number, length: number, signal: AbortSignal): Promise<Answer> {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const response = await this.network.get(this.url, { ...PLAIN, range }, signal);
    const found = response.status === 206 ? contentRange(response) : null;
    if (found?.start === offset && found.total === this.bytes) return response;
    await discard(response);
    if (response.status === 200) throw new NoRanges(this.url);
    throw this.network.bad(this.url, `${response.status}, ${range}`);
  }
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
