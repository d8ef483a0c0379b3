/** Names of repositories and revisions, which become parts of addresses. */
import { GlmError } from '../protocol/errors';

const PART = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** @returns `owner/name`, or a name alone; throws GlmError `hub.badRepository` */
export function requireRepository(text: string): string {
  const repository = text.trim();
  const parts = repository.split('/');
  const fine = parts.length <= 2 && parts.every((part) => PART.test(part) && !part.includes('..'));
  if (!fine) throw new GlmError('hub.badRepository', { repository: repository.slice(0, 300) });
  return repository;
}

/** The last part of a repository's name: what a directory for it is called. */
export function repositoryName(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}

/** @returns a branch, tag or commit; throws GlmError `hub.badRevision` */
export function requireRevision(text: string): string {
  const revision = text.trim();
  // What git allows in the name of a reference, roughly: enough that an address cannot become another.
  if (!/^[A-Za-z0-9_][\w./+-]{0,255}$/.test(revision) || revision.includes('..'))
    throw new GlmError('hub.badRevision', { revision: revision.slice(0, 300) });
  return revision;
}
