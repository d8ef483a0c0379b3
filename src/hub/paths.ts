/** Paths from servers: what may become a file here. */
import { GlmError } from '../protocol/errors';
import { STATE_DIRECTORY } from './state';

/** Devices of Windows, whatever follows the dot. */
const DEVICES = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;
/** Forbidden on Windows, or control characters, or characters that change the direction or look of text. */
// eslint-disable-next-line no-control-regex -- that is what is looked for
const CHARACTERS = /[\u0000-\u001f\u007f-\u009f<>:"\\|?*\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const MOST_BYTES = 512;
const MOST_PART_BYTES = 200;
const MOST_PARTS = 16;
/** Names with a meaning of their own where they lie. */
const RESERVED = new Set(['.git', STATE_DIRECTORY]);

/** Whether no git repository could hold such a path: the listing was made to do harm. */
export function isHostilePath(path: string): boolean {
  const parts = path.split(/[/\\]/);
  return path === '' || path.includes('\0') || /^[A-Za-z]:/.test(path) || parts.some(isStep);
}

function isStep(part: string): boolean {
  return part === '' || part === '.' || part === '..';
}

/** Whether a file of that path can be written below a directory, on any system, and be found again. */
export function isWritablePath(path: string): boolean {
  if (isHostilePath(path) || CHARACTERS.test(path) || /\p{Cs}/u.test(path)) return false;
  const parts = path.split('/');
  return Buffer.byteLength(path) <= MOST_BYTES && parts.length <= MOST_PARTS && parts.every(isWritablePart);
}

function isWritablePart(part: string): boolean {
  return (
    !/[. ]$/.test(part) &&
    !part.startsWith(' ') &&
    !DEVICES.test(part) &&
    !RESERVED.has(part.toLowerCase()) &&
    Buffer.byteLength(part) <= MOST_PART_BYTES
  );
}

/**
 * Throws GlmError `hub.unsafePath` for paths that lead outside or cannot be written, and for two that are one on some
 * systems, or where one is the directory of another.
 */
export function requireSafePaths(repository: string, paths: readonly string[]): void {
  const files = new Set<string>();
  const directories = new Set<string>();
  const unsafe = (path: string): GlmError =>
    new GlmError('hub.unsafePath', { repository, path: JSON.stringify(path.slice(0, 200)) });
  for (const path of paths) {
    if (!isWritablePath(path)) throw unsafe(path);
    const parts = path.normalize('NFC').toLowerCase().split('/');
    const key = parts.join('/');
    if (files.has(key) || directories.has(key)) throw unsafe(path);
    files.add(key);
    for (let count = 1; count < parts.length; count++) {
      const directory = parts.slice(0, count).join('/');
      if (files.has(directory)) throw unsafe(path);
      directories.add(directory);
    }
  }
}
