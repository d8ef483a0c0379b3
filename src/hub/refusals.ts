/** What a hub's refusals mean. */
import { Refusal } from '../download/refusal';
import { GlmError, isGlmError } from '../protocol/errors';
import type { Source } from './source';

export interface Asked {
  source: Source;
  repository: string;
  revision: string;
  /** Page of the repository for people. */
  page: string;
  hasToken: boolean;
}

/** The error in the words of a hub: any other is returned as it is. */
export function explainRefusal(error: unknown, asked: Asked): unknown {
  if (!isGlmError(error) || error.code !== 'hub.httpStatus' || !(error.cause instanceof Refusal))
    return error;
  const { status, reason, detail } = error.cause;
  const { repository, revision, page, hasToken } = asked;
  const source = asked.source.endpoint;
  const because = { cause: error };
  if (reason === 'GatedRepo') return new GlmError('hub.gated', { repository, page }, because);
  if (reason === 'RevisionNotFound')
    return new GlmError('hub.noRevision', { repository, source, revision }, because);
  switch (status) {
    // Hugging Face says 401 rather than 404 to strangers, so that they do not learn which private repositories exist.
    case 401:
      if (!hasToken || reason === 'RepoNotFound')
        return new GlmError('hub.notFound', { repository, source }, because);
      return new GlmError('hub.denied', { repository, source, detail }, because);
    case 403:
      return new GlmError('hub.denied', { repository, source, detail }, because);
    case 404:
      return reason === 'EntryNotFound'
        ? error
        : new GlmError('hub.notFound', { repository, source }, because);
    case 429:
      return new GlmError('hub.tooManyRequests', { source }, because);
    default:
      return error;
  }
}
