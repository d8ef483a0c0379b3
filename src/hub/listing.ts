/** The files of a repository, whatever server it lies on. */
import type { Network, Page } from '../download/network';

/** Most files a repository may have: what lists more is no model. */
const MOST_FILES = 100_000;
const MOST_PAGE_BYTES = 16 * 1024 * 1024;

export interface RemoteFile {
  /** As the server gave it: not to be trusted before `requireSafePath`. */
  path: string;
  bytes: number;
  /** Hexadecimal sha256 of the content, where the server says it. */
  sha256: string | null;
  /** Hexadecimal object id of the content as a git blob, where the server says it. */
  gitBlob: string | null;
}

/** A repository at a revision on a server. */
export interface Remote {
  /** Throws GlmError `hub.*`. */
  list(signal: AbortSignal): Promise<RemoteFile[]>;
  /** Address of a file's content. */
  fileUrl(path: string): string;
  /** Page for people. */
  page: string;
}

/** A page of JSON. Throws GlmError `hub.badResponse` for anything else. */
export async function jsonPage(
  network: Network,
  url: string,
  signal: AbortSignal,
): Promise<{ json: unknown; page: Page }> {
  const page = await network.text(url, { accept: 'application/json' }, MOST_PAGE_BYTES, signal);
  try {
    return { json: JSON.parse(page.text), page };
  } catch {
    throw network.bad(url, 'JSON');
  }
}

/** Adds a page's files to those before. Throws GlmError `hub.badResponse` for a listing without end. */
export function addFiles(
  network: Network,
  url: string,
  all: RemoteFile[],
  more: readonly RemoteFile[],
): void {
  if (all.length + more.length > MOST_FILES) throw network.bad(url, `> ${MOST_FILES} files`);
  all.push(...more);
}

/** A hash in hexadecimal of the right length, else null. */
export function hexadecimal(text: unknown, digits: number): string | null {
  return typeof text === 'string' && text.length === digits && /^[0-9a-fA-F]+$/.test(text)
    ? text.toLowerCase()
    : null;
}

/** A size as the server gave it. Throws GlmError `hub.badResponse`. */
export function sizeIn(network: Network, url: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw network.bad(url, `size ${JSON.stringify(value)?.slice(0, 80)}`);
}

/** A path inside a repository as part of an address. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** Throws GlmError `hub.badResponse` where a value is no list of objects. */
export function requireEntries(network: Network, url: string, value: unknown): Record<string, unknown>[] {
  const fine = Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null);
  if (!fine) throw network.bad(url, 'no list of files');
  return value as Record<string, unknown>[];
}
