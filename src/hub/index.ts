/** Models and adapters from Hugging Face, its mirrors and ModelScope. Nothing here is called unless a user asks. */
export { downloadRepository, type DownloadOptions } from './download';
export { repositoryName, requireRepository, requireRevision } from './repository';
export { requireToken, resolveSource, resolveToken, type Source } from './source';
