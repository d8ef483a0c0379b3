/** Hugging Face's protocol, which its mirrors speak too: https://huggingface.co/docs/hub/api */
import type { Network, Page } from '../download/network';
import {
  addFiles,
  encodePath,
  hexadecimal,
  jsonPage,
  requireEntries,
  sizeIn,
  type Remote,
  type RemoteFile,
} from './listing';

const MOST_PAGES = 1000;

/** A repository on a server that works like Hugging Face. */
export class HuggingFaceRemote implements Remote {
  readonly page: string;

  constructor(
    private readonly network: Network,
    private readonly endpoint: string,
    private readonly repository: string,
    private readonly revision: string,
  ) {
    this.page = `${endpoint}/${repository}`;
  }

  async list(signal: AbortSignal): Promise<RemoteFile[]> {
    const tree = `${this.endpoint}/api/models/${this.repository}/tree/${encodeURIComponent(this.revision)}`;
    const files: RemoteFile[] = [];
    const seen = new Set<string>();
    let query: string | null = '?recursive=1';
    while (query !== null) {
      // A server that sends us round in circles is not followed.
      if (seen.has(query) || seen.size >= MOST_PAGES) throw this.network.bad(tree, 'Link');
      seen.add(query);
      const { json, page } = await jsonPage(this.network, tree + query, signal);
      const entries = requireEntries(this.network, tree, json).filter(({ type }) => type === 'file');
      addFiles(
        this.network,
        tree,
        files,
        entries.map((entry) => this.fileOf(tree, entry)),
      );
      query = nextQuery(page);
    }
    return files;
  }

  fileUrl(path: string): string {
    const revision = encodeURIComponent(this.revision);
    return `${this.endpoint}/${this.repository}/resolve/${revision}/${encodePath(path)}`;
  }

  /** `lfs.oid` is the sha256 of the content; the `oid` of a file outside LFS is that of its git blob. */
  private fileOf(url: string, { path, size, oid, lfs }: Record<string, unknown>): RemoteFile {
    if (typeof path !== 'string') throw this.network.bad(url, 'path');
    const large = lfs as { oid?: unknown; size?: unknown } | null | undefined;
    if (!large) {
      const gitBlob = hexadecimal(oid, 40);
      return { path, bytes: sizeIn(this.network, url, size), sha256: null, gitBlob };
    }
    const bytes = sizeIn(this.network, url, large.size ?? size);
    return { path, bytes, sha256: hexadecimal(large.oid, 64), gitBlob: null };
  }
}

/**
 * The query of the next page, from `Link: <...>; rel="next"`. Its server is left out: mirrors name the original there, and
 * a listing never leads to another address.
 */
function nextQuery(page: Page): string | null {
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(page.headers.get('link') ?? '');
  if (!link?.[1] || !URL.canParse(link[1], page.url)) return null;
  return new URL(link[1], page.url).search || null;
}
