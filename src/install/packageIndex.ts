/** Finding a file on a package index: PEP 503 (HTML) and PEP 691 (JSON). */
import type { Network } from '../download/network';
import { GlmError } from '../protocol/errors';
import type { PackageIndex } from './indexUrl';

const ACCEPT =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';
/** The page of a project with thousands of files has a few MB. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;

/**
 * Address of a file of a project.
 * @returns the address without fragment; throws GlmError when the project or the file is not on the index
 */
export async function findFile(
  network: Network,
  index: PackageIndex,
  project: string,
  file: string,
  signal: AbortSignal,
): Promise<string> {
  const page = new URL(`${project}/`, index.url).href;
  const { text, headers, url } = await network
    .text(page, { accept: ACCEPT }, MAX_PAGE_BYTES, signal)
    .catch((error: unknown) => {
      if (isNotFound(error)) throw new GlmError('install.notOnIndex', { file, index: index.url });
      throw error;
    });
  const contentType = headers.get('content-type') ?? '';
  const href = contentType.includes('json') ? hrefInJson(text, file) : hrefInHtml(text, file);
  if (href === null || !URL.canParse(href, url)) {
    throw new GlmError('install.notOnIndex', { file, index: index.url });
  }
  const address = new URL(href, url);
  address.hash = '';
  return address.href;
}

function isNotFound(error: unknown): boolean {
  if (!(error instanceof GlmError) || error.code !== 'install.httpStatus') return false;
  const { status } = error.args as { status: number };
  return status === 404 || status === 410;
}

/** `files[].url` of the entry with that file name. */
export function hrefInJson(text: string, file: string): string | null {
  let page: unknown;
  try {
    page = JSON.parse(text);
  } catch {
    return null;
  }
  const files: unknown = (page as { files?: unknown } | null)?.files;
  if (!Array.isArray(files)) return null;
  const entry = (files as ({ filename?: unknown; url?: unknown } | null)[]).find(
    (item) => item?.filename === file,
  );
  return typeof entry?.url === 'string' ? entry.url : null;
}

/** `href` of the anchor whose text, or whose address, ends with that file name. */
export function hrefInHtml(text: string, file: string): string | null {
  for (const anchor of text.matchAll(/<a\s([^>]*)>([^<]*)<\/a\s*>/gi)) {
    const href = /(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(anchor[1]);
    const address = decodeEntities(href?.[1] ?? href?.[2] ?? '');
    const name = decodeURIComponentSafely(address.replace(/[?#].*$/, '').replace(/^.*\//, ''));
    if (address && (decodeEntities(anchor[2]).trim() === file || name === file)) return address;
  }
  return null;
}

function decodeEntities(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
