/** HTTP for large files: proxies, redirects, retries. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvHttpProxyAgent, fetch as undiciFetch, ProxyAgent, type Dispatcher } from 'undici';
import { GlmError } from '../protocol/errors';
import { takeCredentials } from './credentials';
import { Refusal } from './refusal';

/** What a download is for: its errors have codes, and so remedies, of their own. */
export type Purpose = 'install' | 'hub';

/** The part of `fetch` that is used; VS Code's own, which knows its proxy settings, fits too. */
export type Fetch = (
  url: string,
  init: { headers: Record<string, string>; signal: AbortSignal; redirect: 'manual' },
) => Promise<FetchResponse>;

export interface FetchResponse {
  status: number;
  headers: ResponseHeaders;
  body: AsyncIterable<Uint8Array> | null;
}

export interface ResponseHeaders {
  get(name: string): string | null;
}

/** An answer after redirects. */
export interface Answer extends FetchResponse {
  /** Where it came from in the end. */
  url: string;
  /** The headers of the redirects on the way, in order. */
  redirects: readonly ResponseHeaders[];
}

/** Headers that go to one server only. */
export interface Credentials {
  /** Any address on that server. */
  url: string;
  headers: Record<string, string>;
}

export interface NetworkOptions {
  purpose: Purpose;
  credentials: Credentials | null;
  /** Proxy address; where it is absent, HTTP_PROXY, HTTPS_PROXY and NO_PROXY decide. */
  proxy?: string;
  fetch?: Fetch;
  /** First pause before another try, doubled each time; milliseconds. */
  retryDelay?: number;
  /** Called before a pause that a server asked for; milliseconds. */
  onPause?(pause: number): void;
}

const MOST_TRIES = 6;
const MOST_REDIRECTS = 10;
const LONGEST_PAUSE = 10_000;
/** A server that wants a longer pause than this is not waited for; milliseconds. */
const LONGEST_ASKED_PAUSE = 300_000;
/** A connection that is silent for this long is given up and tried again; milliseconds. */
const TIMEOUTS = { connect: { timeout: 20_000 }, headersTimeout: 60_000, bodyTimeout: 60_000 };
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface Page {
  text: string;
  headers: ResponseHeaders;
  /** Address after redirects. */
  url: string;
}

export class Network {
  private readonly fetch: Fetch;
  private readonly dispatcher: Dispatcher | null;
  readonly retryDelay: number;

  constructor(private readonly options: NetworkOptions) {
    this.retryDelay = options.retryDelay ?? 500;
    this.dispatcher = options.fetch ? null : makeDispatcher(options);
    this.fetch = options.fetch ?? withDispatcher(this.dispatcher!);
  }

  /**
   * One request, redirects followed; credentials go to their own server only.
   * Throws GlmError `*.network`, `*.badResponse`, or for a status of 400 and above `*.httpStatus` with a `Refusal` as its
   * cause.
   */
  async get(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    const redirects: ResponseHeaders[] = [];
    let address = url;
    for (;;) {
      const response = await this.request(address, headers, signal);
      if (response.status >= 400) {
        await discard(response);
        const refusal = new Refusal(response.status, response.headers);
        const { status } = response;
        throw new GlmError(
          `${this.options.purpose}.httpStatus`,
          { url: withoutQuery(address), status },
          { cause: refusal },
        );
      }
      const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
      if (location === null)
        return {
          status: response.status,
          headers: response.headers,
          body: response.body,
          url: address,
          redirects,
        };
      await discard(response);
      redirects.push(response.headers);
      if (redirects.length > MOST_REDIRECTS) throw this.bad(url, `> ${MOST_REDIRECTS} redirects`);
      address = this.nextAddress(address, location);
    }
  }

  /** A small page as text, with retries. */
  text(url: string, headers: Record<string, string>, mostBytes: number, signal: AbortSignal): Promise<Page> {
    return this.retry(signal, async () => {
      const answer = await this.get(url, headers, signal);
      const bytes = await this.readAll(answer, mostBytes, signal);
      return { text: bytes.toString('utf8'), headers: answer.headers, url: answer.url };
    });
  }

  /**
   * Repeats `work` after failures of the network, with growing pauses, or those that the server asks for.
   * @param work may call `progressed` to say that this try got further, which gives it all tries again
   */
  async retry<T>(signal: AbortSignal, work: (progressed: () => void) => Promise<T>): Promise<T> {
    let failures = 0;
    for (;;) {
      try {
        return await work(() => (failures = 0));
      } catch (error) {
        failures++;
        const asked = error instanceof Error && error.cause instanceof Refusal ? error.cause.retryAfter : 0;
        const hopeless = failures >= MOST_TRIES || asked > LONGEST_ASKED_PAUSE;
        if (signal.aborted || hopeless || !isTransient(error)) throw error;
        if (asked > 0) this.options.onPause?.(asked);
        const pause = Math.max(asked, Math.min(this.retryDelay * 2 ** (failures - 1), LONGEST_PAUSE));
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Reads a whole body of bounded size. */
  async readAll(answer: Answer, mostBytes: number, signal: AbortSignal): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of this.body(answer, signal)) {
      bytes += piece.byteLength;
      if (bytes > mostBytes) throw this.bad(answer.url, `> ${mostBytes} B`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  /** Body in pieces; a connection that breaks is a GlmError `*.network`. */
  async *body(answer: Answer, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const iterator = answer.body?.[Symbol.asyncIterator]();
    if (!iterator) return;
    try {
      for (;;) {
        const next = await iterator.next().catch((error: unknown) => {
          throw this.failed(answer.url, error, signal);
        });
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.().catch(() => undefined);
    }
  }

  /** The error of an answer that makes no sense. */
  bad(url: string, detail: string): GlmError {
    return new GlmError(`${this.options.purpose}.badResponse`, { url: withoutQuery(url), detail });
  }

  /** The error of a body that ended early; it is worth another try. */
  short(url: string, have: number, length: number): GlmError {
    const detail = `${have} / ${length} B`;
    return new GlmError(`${this.options.purpose}.network`, { url: withoutQuery(url), detail });
  }

  async close(): Promise<void> {
    await this.dispatcher?.destroy();
  }

  private async request(
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<FetchResponse> {
    const { credentials } = this.options;
    const own = credentials !== null && new URL(url).origin === new URL(credentials.url).origin;
    try {
      const all = own ? { ...headers, ...credentials.headers } : headers;
      return await this.fetch(url, { headers: all, signal, redirect: 'manual' });
    } catch (error) {
      throw this.failed(url, error, signal);
    }
  }

  private nextAddress(from: string, location: string): string {
    if (!URL.canParse(location, from)) throw this.bad(from, 'Location');
    const next = new URL(location, from);
    const secure = new URL(from).protocol === 'https:';
    if (next.protocol !== 'https:' && (secure || next.protocol !== 'http:'))
      throw this.bad(from, `Location: ${next.protocol}`);
    next.hash = '';
    // Credentials in an address that a server made up are not ours.
    takeCredentials(next);
    return next.href;
  }

  private failed(url: string, error: unknown, signal: AbortSignal): GlmError {
    const { purpose } = this.options;
    if (signal.aborted) return new GlmError(`${purpose}.cancelled`, {}, { cause: error });
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = (cause as NodeJS.ErrnoException).code;
    const detail = cause instanceof Error ? cause.message || (code ?? '') : String(cause);
    const kind = isCertificateError(code) ? 'certificate' : 'network';
    return new GlmError(`${purpose}.${kind}`, { url: withoutQuery(url), detail }, { cause: error });
  }
}

/** Signed addresses of content servers are long, and whoever has one can use it: messages leave the query out. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/s, '');
}

function makeDispatcher({ proxy, purpose }: NetworkOptions): Dispatcher {
  if (!proxy) return new EnvHttpProxyAgent(TIMEOUTS);
  if (!URL.canParse(proxy)) throw new GlmError(`${purpose}.badProxy`, { proxy });
  const uri = new URL(proxy);
  if (uri.protocol !== 'http:' && uri.protocol !== 'https:')
    throw new GlmError(`${purpose}.badProxy`, { proxy });
  const token = takeCredentials(uri) ?? undefined;
  return new ProxyAgent({ ...TIMEOUTS, uri: uri.href, ...(token ? { token } : {}) });
}

function withDispatcher(dispatcher: Dispatcher): Fetch {
  return async (url, init) => {
    const { status, headers, body } = await undiciFetch(url, { ...init, dispatcher });
    return { status, headers, body: body as AsyncIterable<Uint8Array> | null };
  };
}

/** Lets the connection go without reading on. */
export async function discard(response: FetchResponse): Promise<void> {
  await response.body?.[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}

function isCertificateError(code: string | undefined): boolean {
  return code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code);
}

function isTransient(error: unknown): boolean {
  if (!(error instanceof GlmError)) return false;
  if (error.code === 'install.network' || error.code === 'hub.network') return true;
  return error.cause instanceof Refusal && error.cause.isTransient;
}
