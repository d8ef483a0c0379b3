/** Downloads into `.part` files that a later try, or a later run, goes on with. */
import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import { isGlmError } from '../protocol/errors';
import type { Answer, Network } from './network';
import { Refusal } from './refusal';
import { requestFrom } from './requests';

/** Called with the bytes that are on the disk now. */
export type OnBytes = (bytes: number) => void;

/** A file on a server that gives parts of it. */
export interface RangedFile {
  url: string;
  /** One request for a part of the file. */
  stream(offset: number, length: number, signal: AbortSignal): Promise<Answer>;
}

/**
 * Downloads a part of a file.
 * @param part holds the bytes from `offset` on; what it has already is kept
 */
export async function downloadRange(
  network: Network,
  source: RangedFile,
  offset: number,
  length: number,
  part: string,
  signal: AbortSignal,
  onBytes: OnBytes,
): Promise<void> {
  let have = await sizeOf(part);
  if (have > length) {
    await rm(part);
    have = 0;
  }
  onBytes(have);
  await network.retry(signal, async (progressed) => {
    while (have < length) {
      const response = await source.stream(offset + have, length - have, signal);
      const before = have;
      await appendBody(network, response, part, have, length, signal, (bytes) => {
        // Kept up to date piece by piece: the next try begins where a broken connection stopped.
        have = bytes;
        progressed();
        onBytes(bytes);
      });
      if (have === before) throw network.short(source.url, have, length);
    }
  });
}

/**
 * Downloads a whole file, for servers without ranges.
 * @returns when `part` is complete, as far as the server said how long it is
 */
export async function downloadWhole(
  network: Network,
  url: string,
  part: string,
  signal: AbortSignal,
  onBytes: (bytes: number, total: number | null) => void,
): Promise<void> {
  await network.retry(signal, async (progressed) => {
    const have = await sizeOf(part);
    const { response, offset, total } = await requestFrom(network, url, have, signal).catch(
      (error: unknown) => {
        if (!isBeyondEnd(error)) throw error;
        // The part is as long as the file, or longer: whether it is right is not known. Take it anew.
        return requestFrom(network, url, 0, signal);
      },
    );
    const most = total ?? Number.MAX_SAFE_INTEGER;
    const end = await appendBody(network, response, part, offset, most, signal, (bytes) => {
      if (bytes > have) progressed();
      onBytes(bytes, total);
    });
    if (total !== null && end < total) throw network.short(url, end, total);
  });
}

/** Whether a server refused a part because the file is not that long. */
export function isBeyondEnd(error: unknown): boolean {
  return isGlmError(error) && error.cause instanceof Refusal && error.cause.status === 416;
}

/** Writes a body to `part` from `offset` on. @returns size of `part`; throws GlmError `*.badResponse` past `most` bytes */
export async function appendBody(
  network: Network,
  response: Answer,
  part: string,
  offset: number,
  most: number,
  signal: AbortSignal,
  onBytes: OnBytes,
): Promise<number> {
  const handle = await open(part, offset === 0 ? 'w' : 'r+');
  let have = offset;
  try {
    for await (const piece of network.body(response, signal)) {
      if (have + piece.byteLength > most) throw network.bad(response.url, `> ${most} B`);
      await writeAt(handle, piece, have, part);
      have += piece.byteLength;
      onBytes(have);
    }
    return have;
  } finally {
    await handle.close();
  }
}

async function writeAt(handle: FileHandle, piece: Uint8Array, position: number, file: string): Promise<void> {
  let done = 0;
  while (done < piece.byteLength) {
    const { bytesWritten } = await handle
      .write(piece, done, piece.byteLength - done, position + done)
      .catch((error: NodeJS.ErrnoException) => {
        // `write` knows no path; the message to the user needs one.
        error.path ??= file;
        throw error;
      });
    done += bytesWritten;
  }
}

/** Size of a file, 0 where there is none. */
export async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0;
}
