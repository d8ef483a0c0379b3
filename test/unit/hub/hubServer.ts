/** Hugging Face, a mirror of it and ModelScope on this machine, with the weaknesses that real servers have. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with the next request for the content of a file. */
export type Fault =
  | { status: number; headers?: Record<string, string> }
  /** The connection is cut after so many bytes of the body. */
  | { cut: number }
  /** So many bytes, then nothing more, while the connection stays. */
  | { stall: number };

export interface HubOptions {
  files: Map<string, Buffer>;
  /** Paths kept in LFS: on Hugging Face, on another server under signed addresses. */
  large?: ReadonlySet<string>;
  /** Needed for everything. */
  token?: string;
  gated?: boolean;
  /** Faults of the next contents that are asked for, by path. */
  faults?: Map<string, Fault[]>;
  /** Faults of the next listings. */
  listingFaults?: Fault[];
  ranges?: boolean;
  /** Entries of a page of the listing. */
  pageSize?: number;
  /** Further entries of the listing, as they are. */
  extra?: object[];
  /** What contents are said to be, where that is not what they are. */
  hashes?: Map<string, string>;
  /** Whether the client has so many bytes of a file on its disk: a connection is cut when it has. */
  hasReceived?: (bytes: number) => boolean;
  /** Changed to say that a content is another one. */
  etagSuffix?: string;
}

export interface HubServer {
  endpoint: string;
  cdn: string;
  repository: string;
  /** `path range` of every request for a content, without the listing. */
  contents: string[];
  /** Authorization headers that the content server was sent. */
  cdnAuthorizations: (string | undefined)[];
  options: HubOptions;
}

/** Where the end of what was started is left: a test, or a suite of them. */
export interface Cleanup {
  after(end: () => void): void;
}

export const REPOSITORY = 'owner/tiny-glm';

export const digest = (algorithm: string, ...data: (string | Uint8Array)[]): string =>
  data.reduce((hash, piece) => hash.update(piece), createHash(algorithm)).digest('hex');

export async function startHub(context: Cleanup, options: HubOptions): Promise<HubServer> {
  const hub = {
    contents: [],
    cdnAuthorizations: [],
    repository: REPOSITORY,
    options,
  } as unknown as HubServer;
  const cdn = http.createServer((request, response) => {
    const url = new URL(request.url!, hub.cdn);
    hub.cdnAuthorizations.push(request.headers.authorization ?? request.headers.cookie);
    const signed = url.searchParams.get('Signature') === 'secret';
    if (signed) sendContent(hub, request, response, decodeURIComponent(url.pathname.slice(1)));
    else response.writeHead(403).end();
  });
  hub.cdn = await listen(context, cdn);
  const api = http.createServer((request, response) => answer(hub, request, response));
  hub.endpoint = await listen(context, api);
  return hub;
}

async function listen(context: Cleanup, server: http.Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answer(hub: HubServer, request: http.IncomingMessage, response: http.ServerResponse): void {
  const { options } = hub;
  const url = new URL(request.url!, hub.endpoint);
  const refuse = (status: number, code: string): unknown =>
    response.writeHead(status, { 'x-error-code': code, 'x-error-message': code }).end();
  if (!url.pathname.includes(`/${REPOSITORY}/`))
    return void refuse(options.token ? 404 : 401, 'RepoNotFound');
  const authorized = request.headers.authorization === `Bearer ${options.token}`;
  if (options.token && !authorized) return void refuse(401, options.gated ? 'GatedRepo' : '');
  const [, kind, revision, path = ''] =
    /^\/(?:api\/models\/|api\/v1\/models\/)?owner\/tiny-glm\/(tree|resolve|repo)(?:\/([^/]+))?\/?(.*)$/.exec(
      url.pathname,
    ) ?? [];
  const named = kind === 'repo' ? url.searchParams.get('Revision') : revision;
  if (named !== 'main' && named !== 'master') return void refuse(404, 'RevisionNotFound');
  if (kind === 'tree' || revision === 'files') return sendListing(hub, url, response);
  if (kind === 'repo') {
    const wanted = url.searchParams.get('FilePath');
    if (wanted === null) return sendModelScopeListing(hub, response);
    return redirect(hub, response, wanted, {});
  }
  const wanted = decodeURIComponent(path);
  const content = options.files.get(wanted);
  if (!content) return void refuse(404, 'EntryNotFound');
  const etag = `"${etagOf(hub, wanted)}"`;
  if (options.large?.has(wanted)) return redirect(hub, response, wanted, { 'x-linked-etag': etag });
  sendContent(hub, request, response, wanted);
}

function redirect(
  hub: HubServer,
  response: http.ServerResponse,
  path: string,
  headers: Record<string, string>,
): void {
  const location = `${hub.cdn}/${encodeURIComponent(path)}?Signature=secret`;
  response.writeHead(302, { location, ...headers }).end();
}

function etagOf(hub: HubServer, path: string): string {
  return digest('sha256', hub.options.files.get(path)!) + (hub.options.etagSuffix ?? '');
}

function sendListing(hub: HubServer, url: URL, response: http.ServerResponse): void {
  if (url.pathname.startsWith('/api/v1/')) return sendModelScopeListing(hub, response);
  const { files, large, hashes, extra = [], pageSize = 1000 } = hub.options;
  if (failed(hub, response)) return;
  const entries: object[] = [{ type: 'directory', oid: '0'.repeat(40), size: 0, path: 'sub' }, ...extra];
  for (const [path, content] of files) {
    const oid = digest('sha1', `blob ${content.length}\0`, content);
    const size = content.length;
    if (!large?.has(path)) entries.push({ type: 'file', oid: hashes?.get(path) ?? oid, size, path });
    else {
      const lfs = { oid: hashes?.get(path) ?? digest('sha256', content), size, pointerSize: 134 };
      entries.push({ type: 'file', oid: digest('sha1', 'pointer', path), size, lfs, path });
    }
  }
  const from = Number(url.searchParams.get('cursor') ?? 0);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  // As mirrors do: the address of the original.
  if (from + pageSize < entries.length)
    headers.link = `<https://hub.invalid${url.pathname}?recursive=1&cursor=${from + pageSize}>; rel="next"`;
  response.writeHead(200, headers).end(JSON.stringify(entries.slice(from, from + pageSize)));
}

function failed(hub: HubServer, response: http.ServerResponse): boolean {
  const fault = hub.options.listingFaults?.shift();
  if (!fault || !('status' in fault)) return false;
  response.writeHead(fault.status, fault.headers).end();
  return true;
}

function sendModelScopeListing(hub: HubServer, response: http.ServerResponse): void {
  if (failed(hub, response)) return;
  const { files, hashes, extra = [] } = hub.options;
  const Files: object[] = [{ Name: 'sub', Path: 'sub', Type: 'tree', Size: 0, Sha256: '' }, ...extra];
  for (const [path, content] of files) {
    const Sha256 = hashes?.get(path) ?? digest('sha256', content);
    Files.push({ Name: path.split('/').at(-1), Path: path, Type: 'blob', Size: content.length, Sha256 });
  }
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ Code: 200, Success: true, Message: 'success', Data: { Files } }));
}

function sendContent(
  hub: HubServer,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  path: string,
): void {
  const { files, faults, ranges } = hub.options;
  hub.contents.push(`${path} ${request.headers.range ?? ''}`.trim());
  const content = files.get(path)!;
  const fault = faults?.get(path)?.shift();
  if (fault && 'status' in fault) return void response.writeHead(fault.status, fault.headers).end();
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const ranged = range !== null && ranges !== false;
  const start = ranged ? Number(range[1]) : 0;
  const body = content.subarray(start);
  const headers: http.OutgoingHttpHeaders = { 'content-length': body.length, etag: `"${etagOf(hub, path)}"` };
  if (ranged) headers['content-range'] = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(ranged ? 206 : 200, headers);
  if (!fault) return void response.end(body);
  const bytes = 'cut' in fault ? fault.cut : fault.stall;
  response.write(body.subarray(0, bytes));
  if (!('cut' in fault)) return;
  // Cut too early, what is on its way would be lost: the test would be about something else.
  const timer = setInterval(() => {
    if (bytes > 0 && hub.options.hasReceived?.(start + bytes) === false) return;
    clearInterval(timer);
    response.destroy();
  }, 10);
  response.on('close', () => clearInterval(timer));
}
