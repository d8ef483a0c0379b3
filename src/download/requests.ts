/** Requests for files and parts of files. */
import { discard, type Answer, type Network } from './network';

/** Without this a server might compress on the fly, and offsets would mean something else. */
export const PLAIN = { 'accept-encoding': 'identity' };

/** A request for a file from `offset` on; a server without ranges sends all of it. */
export async function requestFrom(
  network: Network,
  url: string,
  offset: number,
  signal: AbortSignal,
): Promise<{ response: Answer; offset: number; total: number | null }> {
  const headers: Record<string, string> = { ...PLAIN };
  if (offset > 0) headers.range = `bytes=${offset}-`;
  const response = await network.get(url, headers, signal);
  if (response.status === 206) {
    const found = contentRange(response);
    if (found?.start === offset) return { response, offset, total: found.total };
    await discard(response);
    throw network.bad(url, `${response.status}, ${headers.range}`);
  }
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  return { response, offset: 0, total: Number.isSafeInteger(length) ? length : null };
}

/** Which part of a file an answer with the status 206 holds. */
export function contentRange(response: Answer): { start: number; total: number } | null {
  const found = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  return found ? { start: Number(found[1]), total: Number(found[2]) } : null;
}
