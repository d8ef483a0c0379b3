/** HTTP for large files: proxies, ranges, retries. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvHttpProxyAgent, fetch as undiciFetch, ProxyAgent, type Dispatcher } from 'undici';
import { GlmError } from '../protocol/errors';
import { takeCredentials, type PackageIndex } from './indexUrl';

/** The part of `fetch` that is used; VS Code's own, which knows its proxy settings, fits too. */
export type Fetch = (
  url: string,
  init: { headers: Record<string, string>; signal: AbortSignal },
) => Promise<FetchResponse>;

export interface FetchResponse {
  status: number;
  url: string;
  headers: { get(name: string): string | null };
  body: AsyncIterable<Uint8Array> | null;
}

export interface NetworkOptions {
  index: PackageIndex;
  /** Proxy address; where it is absent, HTTP_PROXY, HTTPS_PROXY and NO_PROXY decide. */
  proxy?: string;
  fetch?: Fetch;
  /** First pause before another try, doubled each time; milliseconds. */
  retryDelay?: number;
}

const MOST_TRIES = 6;
const LONGEST_PAUSE = 10_000;
/** A connection that is silent for this long is given up and tried again; milliseconds. */
const TIMEOUTS = { connect: { timeout: 20_000 }, headersTimeout: 60_000, bodyTimeout: 60_000 };

export interface Page {
  text: string;
  contentType: string;
  /** Address after redirects. */
  url: string;
}

export class Network {
  private readonly fetch: Fetch;
  private readonly dispatcher: Dispatcher | null;
  readonly retryDelay: number;

  constructor(private readonly options: NetworkOptions) {
    this.retryDelay = options.retryDelay ?? 500;
    this.dispatcher = options.fetch ? null : makeDispatcher(options.proxy);
    this.fetch = options.fetch ?? withDispatcher(this.dispatcher!);
  }

  /** One request. Throws GlmError `install.network` or, for a status of 400 and above, `install.httpStatus`. */
  async get(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<FetchResponse> {
    let response: FetchResponse;
    try {
      response = await this.fetch(url, { headers: { ...headers, ...this.authorization(url) }, signal });
    } catch (error) {
      throw networkError(url, error, signal);
    }
    if (response.status < 400) return response;
    await discard(response);
    throw new GlmError('install.httpStatus', { url, status: response.status });
  }

  /** A small page as text, with retries. */
  text(url: string, headers: Record<string, string>, mostBytes: number, signal: AbortSignal): Promise<Page> {
    return this.retry(signal, async () => {
      const response = await this.get(url, headers, signal);
      const bytes = await readAll(response, url, mostBytes, signal);
      const contentType = response.headers.get('content-type') ?? '';
      return { text: bytes.toString('utf8'), contentType, url: response.url || url };
    });
  }

  /**
   * Repeats `work` after failures of the network, with growing pauses.
   * @param work may call `progressed` to say that this try got further, which gives it all tries again
   */
  async retry<T>(signal: AbortSignal, work: (progressed: () => void) => Promise<T>): Promise<T> {
    let failures = 0;
    for (;;) {
      try {
        return await work(() => (failures = 0));
      } catch (error) {
        failures++;
        if (signal.aborted || !isTransient(error) || failures >= MOST_TRIES) throw error;
        const pause = Math.min(this.retryDelay * 2 ** (failures - 1), LONGEST_PAUSE);
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async close(): Promise<void> {
    await this.dispatcher?.destroy();
  }

  /** Credentials go to the index's own host only. */
  private authorization(url: string): Record<string, string> {
    const { url: index, authorization } = this.options.index;
    if (authorization === null || new URL(url).origin !== new URL(index).origin) return {};
    return { authorization };
  }
}

function makeDispatcher(proxy: string | undefined): Dispatcher {
  if (!proxy) return new EnvHttpProxyAgent(TIMEOUTS);
  if (!URL.canParse(proxy)) throw new GlmError('install.badProxy', { proxy });
  const uri = new URL(proxy);
  if (uri.protocol !== 'http:' && uri.protocol !== 'https:')
    throw new GlmError('install.badProxy', { proxy });
  const token = takeCredentials(uri) ?? undefined;
  return new ProxyAgent({ ...TIMEOUTS, uri: uri.href, ...(token ? { token } : {}) });
}

function withDispatcher(dispatcher: Dispatcher): Fetch {
  return async (url, init) => {
    const { status, headers, body, url: finalUrl } = await undiciFetch(url, { ...init, dispatcher });
    return { status, headers, body: body as AsyncIterable<Uint8Array> | null, url: finalUrl };
  };
}

/** Reads a whole body of bounded size. */
export async function readAll(
  response: FetchResponse,
  url: string,
  mostBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of bodyOf(response, url, signal)) {
    bytes += piece.byteLength;
    if (bytes > mostBytes) throw new GlmError('install.badResponse', { url, detail: `> ${mostBytes} B` });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Body in pieces; a connection that breaks is a GlmError `install.network`. */
export async function* bodyOf(
  response: FetchResponse,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = response.body?.[Symbol.asyncIterator]();
  if (!iterator) return;
  try {
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        throw networkError(url, error, signal);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.().catch(() => undefined);
  }
}

/** Lets the connection go without reading on. */
export async function discard(response: FetchResponse): Promise<void> {
  await response.body?.[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}

function networkError(url: string, error: unknown, signal: AbortSignal): GlmError {
  if (signal.aborted) return new GlmError('install.cancelled', {}, { cause: error });
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  const detail = cause instanceof Error ? cause.message || (code ?? '') : String(cause);
  if (isCertificateError(code)) return new GlmError('install.certificate', { url, detail }, { cause: error });
  return new GlmError('install.network', { url, detail }, { cause: error });
}

function isCertificateError(code: string | undefined): boolean {
  return code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code);
}

function isTransient(error: unknown): boolean {
  if (!(error instanceof GlmError)) return false;
  if (error.code === 'install.network') return true;
  if (error.code !== 'install.httpStatus') return false;
  const { status } = error.args as { status: number };
  return status >= 500 || status === 429 || status === 408;
}
