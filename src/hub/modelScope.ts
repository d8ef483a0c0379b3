/** ModelScope's protocol: https://modelscope.cn/docs */
import type { Network } from '../download/network';
import { GlmError } from '../protocol/errors';
import {
  addFiles,
  hexadecimal,
  jsonPage,
  requireEntries,
  sizeIn,
  type Remote,
  type RemoteFile,
} from './listing';

/** A repository on ModelScope. */
export class ModelScopeRemote implements Remote {
  readonly page: string;
  private readonly api: string;

  constructor(
    private readonly network: Network,
    private readonly endpoint: string,
    private readonly repository: string,
    private readonly revision: string,
  ) {
    this.page = `${endpoint}/models/${repository}`;
    this.api = `${endpoint}/api/v1/models/${repository}/repo`;
  }

  async list(signal: AbortSignal): Promise<RemoteFile[]> {
    const url = `${this.api}/files?Revision=${encodeURIComponent(this.revision)}&Recursive=true`;
    const { json } = await jsonPage(this.network, url, signal);
    const answer = (json ?? {}) as { Code?: unknown; Success?: unknown; Message?: unknown; Data?: unknown };
    if (answer.Success === false || (answer.Code !== undefined && answer.Code !== 200)) {
      if (answer.Code === 404) throw this.notFound();
      throw this.network.bad(url, String(answer.Message ?? answer.Code).slice(0, 300));
    }
    const data = answer.Data as { Files?: unknown } | null | undefined;
    const entries = requireEntries(this.network, url, data?.Files).filter(({ Type }) => Type !== 'tree');
    const files: RemoteFile[] = [];
    addFiles(
      this.network,
      url,
      files,
      entries.map((entry) => this.fileOf(url, entry)),
    );
    return files;
  }

  fileUrl(path: string): string {
    return `${this.api}?Revision=${encodeURIComponent(this.revision)}&FilePath=${encodeURIComponent(path)}`;
  }

  private fileOf(url: string, { Path, Size, Sha256 }: Record<string, unknown>): RemoteFile {
    if (typeof Path !== 'string') throw this.network.bad(url, 'Path');
    const bytes = sizeIn(this.network, url, Size);
    return { path: Path, bytes, sha256: hexadecimal(Sha256, 64), gitBlob: null };
  }

  private notFound(): GlmError {
    return new GlmError('hub.notFound', { repository: this.repository, source: this.endpoint });
  }
}
