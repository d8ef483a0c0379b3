/** What a server says when it refuses a request. */
import type { ResponseHeaders } from './network';

/** Cause of an `*.httpStatus` error. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** Pause that the server asks for before another try, 0 where it does not; milliseconds. */
  readonly retryAfter: number;
  /** Hugging Face's reason, such as `GatedRepo`; empty where there is none. */
  readonly reason: string;
  /** Hugging Face's sentence about it, cut to a sane length. */
  readonly detail: string;

  constructor(
    readonly status: number,
    headers: ResponseHeaders,
  ) {
    super(`status ${status}`);
    this.retryAfter = pauseOf(headers.get('retry-after'));
    this.reason = headers.get('x-error-code') ?? '';
    this.detail = (headers.get('x-error-message') ?? '').slice(0, 300);
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** `Retry-After`: seconds, or a date. */
function pauseOf(text: string | null): number {
  if (text === null) return 0;
  const pause = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(pause) ? Math.max(0, pause) : 0;
}
